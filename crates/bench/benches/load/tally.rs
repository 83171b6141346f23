//! The times and outcomes of requests.

use std::collections::BTreeMap;
use std::time::Duration;

/// Counts and times of many requests.
#[derive(Default)]
pub struct Tally {
    times: BTreeMap<String, Vec<Duration>>,
    /// Descriptions of unexpected outcomes, with their number.
    unexpected: BTreeMap<String, usize>,
}

/// The times of one function or route.
pub struct Percentiles {
    pub requests: usize,
    pub p50: Duration,
    pub p90: Duration,
    pub p99: Duration,
    pub max: Duration,
}

impl Tally {
    /// Records a request to a function or route, its outcome and the expected one.
    pub fn add(&mut self, to: &str, time: Duration, outcome: &str, expected: &str) {
        self.times.entry(to.to_owned()).or_default().push(time);
        if outcome != expected {
            let unexpected = format!("{to} answered {outcome}, not {expected}");
            *self.unexpected.entry(unexpected).or_default() += 1;
        }
    }

    /// The number of requests.
    pub fn requests(&self) -> usize {
        self.times.values().map(Vec::len).sum()
    }

    /// Descriptions of unexpected outcomes, with their number.
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
                max: times[times.len() - 1],
            };
            (to.as_str(), percentiles)
        })
    }
}
