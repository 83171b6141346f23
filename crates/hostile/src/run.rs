//! Repeatable runs of generated cases.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, Once};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestError, TestRunner};

/// The seed of this process: `PROPTEST_RNG_SEED`, or a new one.
static SEED: LazyLock<u64> = LazyLock::new(|| match Config::default().rng_seed {
    RngSeed::Fixed(seed) => seed,
    RngSeed::Random => e2e::random(),
});

/// The number of cases for each outcome.
pub type Tally = BTreeMap<String, u32>;

/// Checks `cases` generated cases, or `PROPTEST_CASES`. Each part of a test has its own seed. `check` returns the
/// outcome of a case, and panics if it is wrong.
///
/// Failures are not saved in a file. Add a failed case to the fuzzer's corpus, which every run reads.
///
/// # Panics
/// At the first failure, with the smallest failing case and the seed that reproduces it.
pub fn run<T: Debug>(
    part: usize,
    cases: u32,
    strategy: &impl Strategy<Value = T>,
    check: impl Fn(T) -> String,
) -> Tally {
    let tally = RefCell::new(Tally::new());
    let default = Config::default();
    let mut runner = TestRunner::new(Config {
        cases: std::env::var_os("PROPTEST_CASES").map_or(cases, |_| default.cases),
        failure_persistence: None,
        max_shrink_iters: 500,
        // In a debug build, much faster than the default.
        rng_algorithm: RngAlgorithm::XorShift,
        rng_seed: RngSeed::Fixed(SEED.wrapping_add(part as u64)),
        ..default
    });
    let outcome = quietly(|| {
        runner.run(strategy, |case| {
            *tally.borrow_mut().entry(check(case)).or_default() += 1;
            Ok(())
        })
    });
    match outcome {
        Ok(()) => tally.into_inner(),
        Err(TestError::Fail(why, case)) => {
            panic!("{}: {why}\n{case:#?}", seed())
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs without printing panics: the search for the smallest failing case can panic hundreds of times.
fn quietly<T>(run: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                print(panic);
            }
        }));
    });
    QUIET.set(true);
    let outcome = run();
    QUIET.set(false);
    outcome
}

/// Checks every part on this number of threads, and prints each tally and the seed.
///
/// # Panics
/// If a check panics.
pub fn run_all<P: Debug + Sync>(
    parts: &[P],
    threads: usize,
    check: impl Fn(usize, &P) -> Tally + Sync,
) -> Vec<Tally> {
    let (next, tallies) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(part) = parts.get(number) else { break };
                    let tally = check(number, part);
                    println!("{part:?}: {tally:?}");
                    tallies.lock().unwrap().push(tally);
                }
            });
        }
    });
    let tallies = tallies.into_inner().unwrap();
    let total: u32 = tallies.iter().flat_map(BTreeMap::values).sum();
    println!("{total} in total, {}", seed());
    tallies
}

fn seed() -> String {
    format!("PROPTEST_RNG_SEED={}", *SEED)
}
