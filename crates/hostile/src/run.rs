//! Runs of generated cases, which can be repeated.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::LazyLock;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestError, TestRunner};

/// The seed of this process: `PROPTEST_RNG_SEED`, or a new one.
static SEED: LazyLock<u64> = LazyLock::new(|| match Config::default().rng_seed {
    RngSeed::Fixed(seed) => seed,
    RngSeed::Random => e2e::random(),
});

/// How often there was each outcome.
pub type Tally = BTreeMap<String, u32>;

/// Checks so many cases, or `PROPTEST_CASES` where that is more. Each part of a test has cases of its own.
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
        cases: cases.max(given.cases),
        failure_persistence: None,
        max_shrink_iters: 2000,
        // Good enough, and in a debug build many times as fast as the default.
        rng_algorithm: RngAlgorithm::XorShift,
        rng_seed: RngSeed::Fixed(SEED.wrapping_add(part as u64)),
        ..given
    });
    let outcome = runner.run(strategy, |case| {
        *tally.borrow_mut().entry(check(case)).or_default() += 1;
        Ok(())
    });
    match outcome {
        Ok(()) => tally.into_inner(),
        Err(TestError::Fail(why, case)) => {
            panic!("{}: {why}\n{case:#?}", seed())
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// How to have the cases of this process again.
pub fn seed() -> String {
    format!("PROPTEST_RNG_SEED={}", *SEED)
}
