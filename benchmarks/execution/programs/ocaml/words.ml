(* How often each word occurs, ignoring case and punctuation; pairs of a word and its count, sorted. *)
let words text =
  let module Counts = Map.Make (String) in
  let letter c = match Char.lowercase_ascii c with 'a' .. 'z' as lower -> lower | _ -> ' ' in
  String.map letter text
  |> String.split_on_char ' '
  |> List.filter (fun word -> word <> "")
  |> List.fold_left
       (fun counts word -> Counts.update word (fun count -> Some (1 + Option.value count ~default:0)) counts)
       Counts.empty
  |> Counts.bindings

(* --- tests --- *)
let () =
  assert (words "To be, or not to be." = [("be", 2); ("not", 1); ("or", 1); ("to", 2)]);
  assert (words "" = []);
  assert (words "...!" = []);
  assert (words "one" = [("one", 1)]);
  assert (words "A a! a? B" = [("a", 3); ("b", 1)])
