//! Runs of generated cases, which can be repeated.

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

/// How often there was each outcome.
pub type Tally = BTreeMap<String, u32>;

/// Checks so many cases, or `PROPTEST_CASES`. Each part of a test has cases of its own.
/// `check` gives the outcome of a case, and panics where it is wrong.
///
/// No file of failures is kept: a case that failed belongs into the fuzzer's corpus, which every run reads.
///
/// # Panics
/// At the first failure, with the smallest case that still fails and how to have it again.
pub fn run<T: Debug>(
    part: usize,
    cases: u32,
    strategy: &impl Strategy<Value = T>,
    check: impl Fn(T) -> String,
) -> Tally {
    let tally = RefCell::new(Tally::new());
    let given = Config::default();
    let mut runner = TestRunner::new(Config {
        cases: std::env::var_os("PROPTEST_CASES").map_or(cases, |_| given.cases),
        failure_persistence: None,
        max_shrink_iters: 500,
        // Good enough, and in a debug build many times as fast as the default.
        rng_algorithm: RngAlgorithm::XorShift,
        rng_seed: RngSeed::Fixed(SEED.wrapping_add(part as u64)),
        ..given
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

/// Does what may panic on this thread a thousand times until the smallest case is found, without printing each panic.
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

/// Runs the check of every part, in so many threads, and prints what came of each and the seed.
///
/// # Panics
/// Where a check does.
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
    println!("{total} in all, {}", seed());
    tallies
}

fn seed() -> String {
    format!("PROPTEST_RNG_SEED={}", *SEED)
}
