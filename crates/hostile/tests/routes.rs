//! The functions of all routes in this process: their answers to 100,000 generated requests and to the fuzzer's corpus.

use std::path::Path;
use std::thread::available_parallelism;

use e2e::ROUTES;
use hostile::{Api, Event, run, run_all};
use proptest::prelude::any;

const REQUESTS: u32 = 100_000;

#[test]
fn routes_survive_generated_requests() {
    let each = REQUESTS.div_ceil(ROUTES.len() as u32);
    let threads = available_parallelism().unwrap().get();
    let tallies = run_all(&ROUTES, threads, |number, route| {
        let api = Api::default();
        let cases = (Event::any(*route), any::<bool>());
        let tally = run(number, each, &cases, |(event, rejects)| {
            let outcome = api.check(route, &event, rejects);
            outcome.expect("an event of API Gateway's")
        });
        // The generated requests include successes and every kind of error.
        let of_fields = [
            "400 InvalidParameterException",
            "400 InvalidParameterType",
            "400 MissingRequiredParameter",
        ];
        let of_any_route = [
            "200",
            "400 SerializationException",
            "403 ForbiddenException",
            "405 MethodNotAllowedException",
            "413 RequestEntityTooLargeException",
        ];
        let of_fields = of_fields.iter().filter(|_| !route.fields.is_empty());
        let of_users = ["401 NotAuthorizedException"];
        let of_users = of_users.iter().filter(|_| route.needs_token());
        for outcome in of_any_route.iter().chain(of_fields).chain(of_users) {
            let times = tally.get(*outcome).copied().unwrap_or_default();
            assert!(
                times * 200 > each,
                "{route:?}, {outcome}: {times} of {each}"
            );
        }
        tally
    });
    let total: u32 = tallies.iter().flat_map(|tally| tally.values()).sum();
    assert!(total >= REQUESTS, "{total}");
}

#[test]
fn routes_survive_the_fuzzing_corpus() {
    let api = Api::default();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/http");
    let mut files = 0;
    for file in std::fs::read_dir(corpus).unwrap() {
        let file = file.unwrap().path();
        println!("{}", file.display());
        api.check_input(&std::fs::read(file).unwrap());
        files += 1;
    }
    assert!(files > 100, "{files}");
}
