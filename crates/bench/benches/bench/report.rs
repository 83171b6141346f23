//! The results as text: the table, the goals and the page.

use std::time::Duration;

use bench::table::aligned;

use crate::subjects::{BEFORE, Kind, Subject};
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

/// The results of every subject, also relative to the floor.
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

/// Each goal with its measurement, and whether it was reached.
pub fn goals(subjects: &[Subject], figures: &[Figures]) -> String {
    let all = || {
        let all = subjects.iter().zip(figures);
        all.filter(|(subject, _)| !subject.name.ends_with(BEFORE))
    };
    let of = |name: &str| all().find(|(subject, _)| subject.name == name).unwrap().1;
    let (floor, go, node) = (&figures[0], of("Go, AWS SDK v2"), of("Node.js, AWS SDK v3"));
    let sign_in = of("sign-in");
    let of_sign_in = |value: f64| ("sign-in", value);
    // The function of these kinds with the highest value.
    let highest = |kinds: &[Kind], value: &dyn Fn(&Figures) -> f64| {
        all()
            .filter(|(subject, _)| kinds.contains(&subject.kind))
            .map(|(subject, figures)| (subject.name.as_str(), value(figures)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .unwrap()
    };
    let functions = [Kind::Route, Kind::CallingTrigger, Kind::Trigger];
    let cpu_to = |other: &Figures| of_sign_in(sign_in.cold_cpu_ms() / other.cold_cpu_ms());

    let mut goals = vec![
        ("cold CPU, × Go's", 0.6, cpu_to(go)),
        ("cold CPU, × the floor's", 2.5, cpu_to(floor)),
        ("cold CPU, × Node.js's (1/34)", 1.0 / 34.0, cpu_to(node)),
        (
            "cold, × Go's",
            0.85,
            of_sign_in(sign_in.cold_ms() / go.cold_ms()),
        ),
        (
            "warm p50, ms above the floor's",
            0.35,
            of_sign_in(sign_in.warm_ms(50) - floor.warm_ms(50)),
        ),
        (
            "routes: cold, × sign-in's",
            1.1,
            highest(&[Kind::Route], &|it| it.cold_ms() / sign_in.cold_ms()),
        ),
        (
            "triggers without AWS: cold, × the floor's",
            1.3,
            highest(&[Kind::Trigger], &|it| it.cold_ms() / floor.cold_ms()),
        ),
        ("zip MB", 1.95, highest(&functions, &Figures::zip_mb)),
        ("peak MiB", 7.0, highest(&functions, &Figures::peak_mib)),
        (
            "routes: calls a request",
            2.0,
            highest(&[Kind::Route], &Figures::calls_per_request),
        ),
    ];
    // At most 5 % above the count before `lambda_http` and `aws-config` were tried.
    goals.extend(sign_in.instructions.map(|count| {
        (
            "M instr. (4.42 + 5 %)",
            4.42 * 1.05,
            of_sign_in(count as f64 / 1e6),
        )
    }));

    let mut rows = vec![["goal", "of", "at most", "measured", "reached"].map(str::to_owned)];
    rows.extend(goals.into_iter().map(|(goal, limit, (name, measured))| {
        [
            goal.to_owned(),
            name.to_owned(),
            format!("{limit:.3}"),
            format!("{measured:.3}"),
            if measured <= limit { "yes" } else { "no" }.to_owned(),
        ]
    }));
    aligned(&rows)
}

/// The results page.
pub fn page(machine: &str, versions: &str, table: &str, goals: &str) -> String {
    format!(
        "# Results\n\n\
         Written by `make bench`; [README.md](README.md) explains the measurements.\n\n\
         - Machine: {machine}\n\
         - With: {versions}\n\
         - Medians of {ROUNDS} processes each, which took turns; {WARM_REQUESTS} warm requests to each process\n\n\
         {table}\n{goals}"
    )
}
