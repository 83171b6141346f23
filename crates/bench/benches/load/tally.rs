//! What was asked, how long it took, and what came back.

use std::collections::BTreeMap;
use std::time::Duration;

/// Counts and times of many requests.
#[derive(Default)]
pub struct Tally {
    times: BTreeMap<String, Vec<Duration>>,
    answers: BTreeMap<String, usize>,
    /// What came back in place of what the contract has, and how often.
    unexpected: BTreeMap<String, usize>,
}

/// The times of one function or route.
pub struct Percentiles {
    pub requests: usize,
    pub p50: Duration,
    pub p90: Duration,
    pub p99: Duration,
    pub most: Duration,
}

impl Tally {
    /// Takes down a request to a function or route, and its answer beside the one that is right.
    pub fn add(&mut self, to: &str, time: Duration, answer: &str, right: &str) {
        self.times.entry(to.to_owned()).or_default().push(time);
        *self.answers.entry(answer.to_owned()).or_default() += 1;
        if answer != right {
            let unexpected = format!("{to} answered {answer}, not {right}");
            *self.unexpected.entry(unexpected).or_default() += 1;
        }
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.times.values().map(Vec::len).sum()
    }

    /// How often each answer came.
    pub fn answers(&self) -> &BTreeMap<String, usize> {
        &self.answers
    }

    /// What should not have come, and how often.
    pub fn unexpected(&self) -> &BTreeMap<String, usize> {
        &self.unexpected
    }

    /// The times of each function or route.
    pub fn percentiles(&self) -> impl Iterator<Item = (&str, Percentiles)> {
        self.times.iter().map(|(to, times)| {
            let mut times = times.clone();
            times.sort_unstable();
            let percentile = |percent| times[times.len() * percent / 100];
            let percentiles = Percentiles {
                requests: times.len(),
                p50: percentile(50),
                p90: percentile(90),
                p99: percentile(99),
                most: times[times.len() - 1],
            };
            (to.as_str(), percentiles)
        })
    }
}
