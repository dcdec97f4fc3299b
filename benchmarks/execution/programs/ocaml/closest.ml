(* The two numbers that are closest to each other, in ascending order. *)
let closest numbers =
  let rec pairs = function
    | a :: (b :: _ as rest) -> (a, b) :: pairs rest
    | _ -> []
  in
  let gap (a, b) = b -. a in
  match pairs (List.sort compare numbers) with
  | first :: rest -> List.fold_left (fun best pair -> if gap pair < gap best then pair else best) first rest
  | [] -> invalid_arg "closest"

(* --- tests --- *)
let () =
  assert (closest [1.0; 2.0; 2.2; 5.0] = (2.0, 2.2));
  assert (closest [5.0; 1.0] = (1.0, 5.0));
  assert (closest [3.0; 9.0; 3.0] = (3.0, 3.0));
  assert (closest [-1.5; 4.0; -1.0; 8.0] = (-1.5, -1.0));
  assert (closest [10.0; 0.0; 6.0; 4.5] = (4.5, 6.0))
