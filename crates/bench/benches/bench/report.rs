//! The results as text: one table, the goals, and the page that keeps both.

use std::time::Duration;

use bench::table::aligned;

use crate::subjects::{Kind, Subject};
use crate::{Figures, ROUNDS, Sample, WARM_REQUESTS};

impl Figures {
    fn median(&self, of: impl Fn(&Sample) -> Duration) -> f64 {
        let mut times: Vec<Duration> = self.samples.iter().map(of).collect();
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1000.0
    }

    fn init_ms(&self) -> f64 {
        self.median(|sample| sample.init)
    }

    fn first_ms(&self) -> f64 {
        self.median(|sample| sample.first)
    }

    fn cold_ms(&self) -> f64 {
        self.median(|sample| sample.init + sample.first)
    }

    fn cold_cpu_ms(&self) -> f64 {
        self.median(|sample| sample.cold_cpu)
    }

    fn warm_ms(&self, percentile: usize) -> f64 {
        self.median(|sample| sample.warm[sample.warm.len() * percentile / 100])
    }

    fn peak_mib(&self) -> f64 {
        let mut peaks: Vec<u64> = self.samples.iter().map(|sample| sample.peak_kib).collect();
        peaks.sort_unstable();
        peaks[peaks.len() / 2] as f64 / 1024.0
    }

    fn zip_mb(&self) -> f64 {
        self.zip_bytes as f64 / 1e6
    }

    fn calls_per_request(&self) -> f64 {
        let calls: usize = self.samples.iter().map(|sample| sample.calls).sum();
        calls as f64 / (self.samples.len() * (WARM_REQUESTS + 1)) as f64
    }
}

/// The figures of every subject, beside the floor's.
pub fn table(subjects: &[Subject], figures: &[Figures]) -> String {
    let floor = &figures[0];
    let mut rows = vec![
        [
            "",
            "init ms",
            "first ms",
            "cold ms",
            "× floor",
            "CPU ms",
            "× floor",
            "warm p50 ms",
            "p99 ms",
            "peak MiB",
            "zip MB",
            "calls",
            "M instr.",
            "× floor",
        ]
        .map(str::to_owned),
    ];
    for (subject, figures) in subjects.iter().zip(figures) {
        let instructions = |per: f64, digits: usize| match figures.instructions {
            Some(count) => format!("{:.digits$}", count as f64 / per),
            None => "–".to_owned(),
        };
        rows.push([
            subject.name.clone(),
            format!("{:.2}", figures.init_ms()),
            format!("{:.2}", figures.first_ms()),
            format!("{:.2}", figures.cold_ms()),
            format!("{:.2}", figures.cold_ms() / floor.cold_ms()),
            format!("{:.2}", figures.cold_cpu_ms()),
            format!("{:.2}", figures.cold_cpu_ms() / floor.cold_cpu_ms()),
            format!("{:.3}", figures.warm_ms(50)),
            format!("{:.3}", figures.warm_ms(99)),
            format!("{:.1}", figures.peak_mib()),
            format!("{:.2}", figures.zip_mb()),
            format!("{}", figures.calls_per_request()),
            instructions(1e6, 2),
            instructions(floor.instructions.unwrap_or(1) as f64, 2),
        ]);
    }
    aligned(&rows)
}

/// Each goal with what was measured, and whether it was reached.
pub fn goals(subjects: &[Subject], figures: &[Figures]) -> String {
    let all = || subjects.iter().zip(figures);
    let of = |name: &str| all().find(|(subject, _)| subject.name == name).unwrap().1;
    let (floor, sign_in, node) = (&figures[0], of("sign-in"), of("Node.js, AWS SDK v3"));
    // The subject of these kinds that is furthest from a goal.
    let worst = |kinds: &[Kind], value: &dyn Fn(&Figures) -> f64| {
        all()
            .filter(|(subject, _)| kinds.contains(&subject.kind))
            .map(|(subject, figures)| (value(figures), subject.name.as_str()))
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .unwrap()
    };
    let other_routes = worst(&[Kind::Route], &|figures| {
        figures.cold_ms() / sign_in.cold_ms()
    });
    let zip = worst(&[Kind::Route], &Figures::zip_mb);
    let functions = [Kind::Route, Kind::CallingTrigger, Kind::Trigger];
    let peak = worst(&functions, &Figures::peak_mib);
    let triggers = worst(&[Kind::Trigger], &|figures| {
        figures.cold_ms() / floor.cold_ms()
    });
    let other_calls: Vec<String> = all()
        .filter(|(subject, figures)| {
            let expected = match subject.name.as_str() {
                "sign-up" | "sign-up (Passwordless)" => 2.0,
                _ => 1.0,
            };
            subject.kind == Kind::Route && figures.calls_per_request() != expected
        })
        .map(|(subject, figures)| format!("{} {}", subject.name, figures.calls_per_request()))
        .collect();

    let cold = sign_in.cold_ms() / floor.cold_ms();
    let to_node = node.cold_ms() / sign_in.cold_ms();
    let warm = sign_in.warm_ms(50) - floor.warm_ms(50);
    let goal = |goal: &str, measured: String, reached: bool| {
        let reached = if reached { "yes" } else { "no" };
        [goal.to_owned(), measured, reached.to_owned()]
    };
    let of_worst = |(value, name): (f64, &str), unit: &str| format!("{value:.2}{unit} ({name})");
    aligned(&[
        ["goal", "measured", "reached"].map(str::to_owned),
        goal(
            "sign-in: cold at most 2.2 × the floor's",
            format!("{cold:.2} ×"),
            cold <= 2.2,
        ),
        goal(
            "sign-in: cold at most 1/28 of Node.js with the AWS SDK v3",
            format!("1/{to_node:.1}"),
            to_node >= 28.0,
        ),
        goal(
            "sign-in: warm p50 at most 0.4 ms above the floor's",
            format!("{warm:.3} ms"),
            warm <= 0.4,
        ),
        goal(
            "other routes: cold at most 1.1 × sign-in's",
            of_worst(other_routes, " ×"),
            other_routes.0 <= 1.1,
        ),
        goal(
            "routes: zip at most 2.0 MB",
            of_worst(zip, " MB"),
            zip.0 <= 2.0,
        ),
        goal(
            "functions: peak RSS at most 8 MiB",
            of_worst(peak, " MiB"),
            peak.0 <= 8.0,
        ),
        goal(
            "triggers without AWS: cold at most 1.3 × the floor's",
            of_worst(triggers, " ×"),
            triggers.0 <= 1.3,
        ),
        goal(
            "routes: one call a request, sign-up two",
            match other_calls.is_empty() {
                true => "just so".to_owned(),
                false => other_calls.join(", "),
            },
            other_calls.is_empty(),
        ),
    ])
}

/// The results page.
pub fn page(machine: &str, versions: &str, table: &str, goals: &str) -> String {
    format!(
        "# Results\n\n\
         Written by `make bench`; [README.md](README.md) says what is measured and how.\n\n\
         - Machine: {machine}\n\
         - With: {versions}\n\
         - Medians of {ROUNDS} processes each, which took turns; {WARM_REQUESTS} warm requests to each process\n\n\
         {table}\n{goals}"
    )
}
