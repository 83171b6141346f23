//! The results as text: the tables, the rules with whether they were met, and the page.

use std::time::Duration;

use bench::machine;
use bench::table::aligned;

use crate::deployed::{self, StackResult};
use crate::functions::{self, FunctionResult};
use crate::tally::{Percentiles, Tally};

/// The maximum growth of a function's resident memory from the warm-up to the end, in KiB: less than 7 bytes per event.
const MAX_GROWTH_KIB: u64 = 128;

/// A rule, its measurement, and a sentence for each violation.
pub struct Verdict {
    rule: String,
    measured: String,
    pub failures: Vec<String>,
}

impl FunctionResult {
    fn growth_kib(&self) -> u64 {
        self.end.resident_kib.saturating_sub(self.warm.resident_kib)
    }

    fn more_files(&self) -> usize {
        self.end.open_files.saturating_sub(self.warm.open_files)
    }
}

/// Checks the rules.
pub fn verdicts(functions: &[FunctionResult], deployed: &[StackResult]) -> Vec<Verdict> {
    let tallies = || {
        let functions = functions.iter().map(|function| &function.tally);
        functions.chain(deployed.iter().map(|stack| &stack.tally))
    };
    let requests: usize = tallies().map(Tally::requests).sum();
    let unexpected: Vec<_> = tallies().flat_map(Tally::unexpected).collect();
    let unexpected_requests: usize = unexpected.iter().map(|(_, count)| **count).sum();
    let max_growth = functions.iter().max_by_key(|it| it.growth_kib()).unwrap();
    let max_files = functions.iter().max_by_key(|it| it.more_files()).unwrap();
    let too_few = |stack: &&StackResult| stack.tally.requests() < deployed::REQUESTS;
    vec![
        Verdict {
            rule: "every answer is the expected one".to_owned(),
            measured: format!("{} of {requests}", requests - unexpected_requests),
            failures: unexpected
                .iter()
                .map(|(unexpected, count)| format!("{unexpected} ({count} ×)."))
                .collect(),
        },
        Verdict {
            rule: format!("memory grows by at most {MAX_GROWTH_KIB} KiB"),
            measured: format!("{} KiB ({})", max_growth.growth_kib(), max_growth.name),
            failures: functions
                .iter()
                .filter(|function| function.growth_kib() > MAX_GROWTH_KIB)
                .map(|function| {
                    format!(
                        "{} leaks: its memory grew by {} KiB over {} events.",
                        function.name,
                        function.growth_kib(),
                        functions::REQUESTS
                    )
                })
                .collect(),
        },
        Verdict {
            rule: "no more open files than after the warm-up".to_owned(),
            measured: format!("{} more ({})", max_files.more_files(), max_files.name),
            failures: functions
                .iter()
                .filter(|function| function.more_files() > 0)
                .map(|function| {
                    format!(
                        "{} leaks: it has {} files open, {} after the warm-up.",
                        function.name, function.end.open_files, function.warm.open_files
                    )
                })
                .collect(),
        },
        Verdict {
            rule: format!("{} requests to each deployed stack", deployed::REQUESTS),
            measured: {
                let counts = deployed
                    .iter()
                    .map(|stack| stack.tally.requests().to_string());
                counts.collect::<Vec<_>>().join(" and ")
            },
            failures: deployed
                .iter()
                .filter(too_few)
                .map(|stack| {
                    format!(
                        "{} took only {} requests in {} s.",
                        stack.mode.name(),
                        stack.tally.requests(),
                        stack.time.as_secs()
                    )
                })
                .collect(),
        },
    ]
}

/// The results page.
pub fn page(
    functions: &[FunctionResult],
    deployed: &[StackResult],
    verdicts: &[Verdict],
) -> String {
    let stacks = deployed.iter().map(|stack| {
        let (name, requests, time) = (stack.mode.name(), stack.tally.requests(), stack.time);
        format!(
            "- {name}: {requests} requests from {} users at a time in {} s\n",
            deployed::USERS,
            time.as_secs()
        )
    });
    format!(
        "# Load test\n\n\
         Written by `make load`; [README.md](README.md) explains the measurements.\n\n\
         - Machine: {}\n\
         - With: {}\n\
         - Functions: one process each; {} events as warm-up, then {}\n\
         {}\n\
         {}\n\
         ## The functions\n\n{}\n\
         ## The deployed API\n\n{}",
        machine::machine(),
        machine::versions().join(", "),
        functions::WARM_UP,
        functions::REQUESTS,
        stacks.collect::<String>(),
        rules(verdicts),
        functions_table(functions),
        routes_table(deployed),
    )
}

fn rules(verdicts: &[Verdict]) -> String {
    let mut rows = vec![["rule", "measured", "met"].map(str::to_owned)];
    rows.extend(verdicts.iter().map(|verdict| {
        let met = if verdict.failures.is_empty() {
            "yes"
        } else {
            "no"
        };
        [
            verdict.rule.clone(),
            verdict.measured.clone(),
            met.to_owned(),
        ]
    }));
    aligned(&rows)
}

fn functions_table(functions: &[FunctionResult]) -> String {
    let mut rows = vec![
        [
            "",
            "events",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "max ms",
            "start KiB",
            "warm KiB",
            "end KiB",
            "growth KiB",
            "peak KiB",
            "open files",
        ]
        .map(str::to_owned),
    ];
    rows.extend(functions.iter().flat_map(|function| {
        function.tally.percentiles().map(|(name, times)| {
            let [requests, p50, p90, p99, max] = times.cells();
            let growth = function.end.resident_kib as i64 - function.warm.resident_kib as i64;
            let files = [&function.start, &function.warm, &function.end]
                .map(|usage| usage.open_files.to_string());
            [
                name.to_owned(),
                requests,
                p50,
                p90,
                p99,
                max,
                function.start.resident_kib.to_string(),
                function.warm.resident_kib.to_string(),
                function.end.resident_kib.to_string(),
                growth.to_string(),
                function.peak_kib.to_string(),
                files.join(", "),
            ]
        })
    }));
    rows[1..].sort();
    aligned(&rows)
}

fn routes_table(deployed: &[StackResult]) -> String {
    let mut rows =
        vec![["", "requests", "p50 ms", "p90 ms", "p99 ms", "max ms"].map(str::to_owned)];
    for stack in deployed {
        rows.extend(stack.tally.percentiles().map(|(route, times)| {
            let [requests, p50, p90, p99, max] = times.cells();
            let name = format!("{}, {route}", stack.mode.name());
            [name, requests, p50, p90, p99, max]
        }));
    }
    aligned(&rows)
}

impl Percentiles {
    fn cells(&self) -> [String; 5] {
        let ms = |time: Duration| {
            let ms = time.as_secs_f64() * 1000.0;
            if ms < 10.0 {
                format!("{ms:.2}")
            } else {
                format!("{ms:.0}")
            }
        };
        let Self {
            requests,
            p50,
            p90,
            p99,
            max,
        } = self;
        [requests.to_string(), ms(*p50), ms(*p90), ms(*p99), ms(*max)]
    }
}
