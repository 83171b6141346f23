//! The functions of all routes in this process: what they answer to 100,000 generated requests, and to the
//! fuzzer's corpus.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::ROUTES;
use hostile::{Api, Event, run, seed};
use proptest::prelude::any;

const REQUESTS: u32 = 100_000;

#[test]
fn no_request_makes_a_route_panic_or_break_the_contract() {
    let each = REQUESTS.div_ceil(ROUTES.len() as u32);
    let (next, tallies) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                let api = Api::default();
                loop {
                    let part = next.fetch_add(1, Ordering::Relaxed);
                    let Some(route) = ROUTES.get(part) else { break };
                    let cases = (Event::any(*route), any::<bool>());
                    let tally = run(part, each, &cases, |(event, refuses)| {
                        api.judge(route, &event, refuses).expect("an event of API Gateway's")
                    });
                    tallies.lock().unwrap().push((route, tally));
                }
            });
        }
    });
    let mut total = 0;
    for (route, tally) in tallies.into_inner().unwrap() {
        println!("{:?} {}: {tally:?}", route.mode, route.path);
        total += tally.values().sum::<u32>();
        // What is generated gets as far as Cognito, and fails in every way on the way there.
        for outcome in [
            "200",
            "400 InvalidParameterException",
            "400 InvalidParameterType",
            "400 MissingRequiredParameter",
            "400 SerializationException",
            "405 MethodNotAllowedException",
            "413 RequestEntityTooLargeException",
        ] {
            let times = tally.get(outcome).copied().unwrap_or_default();
            assert!(times * 200 > each, "{outcome}: {times} of {each}");
        }
    }
    println!("{total} requests, {}", seed());
    assert!(total >= REQUESTS);
}

#[test]
fn nothing_in_the_fuzzers_corpus_makes_a_route_panic_or_break_the_contract() {
    let api = Api::default();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/http");
    let mut files = 0;
    for file in std::fs::read_dir(corpus).unwrap() {
        let file = file.unwrap().path();
        println!("{}", file.display());
        api.take(&std::fs::read(file).unwrap());
        files += 1;
    }
    assert!(files > 50, "{files}");
}
