(* The prime factors of n > 1 in ascending order, each as often as it divides n. *)
let primes n =
  let rec from divisor n =
    if n = 1 then []
    else if divisor * divisor > n then [n]
    else if n mod divisor = 0 then divisor :: from divisor (n / divisor)
    else from (divisor + 1) n
  in
  from 2 n

(* --- tests --- *)
let () =
  assert (primes 60 = [2; 2; 3; 5]);
  assert (primes 2 = [2]);
  assert (primes 97 = [97]);
  assert (primes 1024 = List.init 10 (fun _ -> 2));
  assert (primes (999983 * 7) = [7; 999983])
