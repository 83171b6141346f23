//! The benchmark: cold and warm times, memory, size and calls of every function, compared with programs that do the
//! same. `make bench` runs it. `README.md` in this package explains it.

mod report;
mod subjects;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bench::machine;
use e2e::{Answer, Authority, Aws, Process};
use serde_json::Value;

use crate::subjects::{Kind, Subject};

/// Processes of each subject. The subjects take turns, so that load on the machine affects all of them.
const ROUNDS: usize = 25;
/// Requests to each process after its first.
const WARM_REQUESTS: usize = 200;

/// The measurements of one process.
struct Sample {
    /// From its start until it requests an event.
    init: Duration,
    /// From sending the first event until its answer.
    first: Duration,
    /// The processor time of both.
    cold_cpu: Duration,
    /// As `first`, for the other requests, sorted.
    warm: Vec<Duration>,
    peak_kib: u64,
    calls: usize,
    answer: Value,
}

/// The results of a subject.
pub struct Figures {
    samples: Vec<Sample>,
    zip_bytes: u64,
    /// The instructions of a cold start and one request, counted by callgrind.
    instructions: Option<u64>,
}

fn main() {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = bench.ancestors().nth(2).unwrap();
    let built = root.join("target/bench");
    let aws = Aws::start(&Authority::new(&built));
    let before = std::env::var_os("BEFORE").filter(|folder| !folder.is_empty());
    let before = before.map(PathBuf::from);
    let subjects = subjects::all(root, &built, before.as_deref());

    let mut samples: Vec<Vec<Sample>> = subjects.iter().map(|_| Vec::new()).collect();
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    for round in 1..=ROUNDS {
        eprint!("\rProcesses of each: {round} of {ROUNDS}");
        // The previous process affects caches and threads: it is another one in each round.
        order.sort_by_cached_key(|_| e2e::random());
        for &index in &order {
            // The kernel may have taken the program's pages from memory since its last process.
            measure(&subjects[index], &aws, 0);
            samples[index].push(measure(&subjects[index], &aws, WARM_REQUESTS));
        }
    }
    eprintln!();
    compare_answers(&subjects, &samples);

    let count = machine::has_valgrind();
    if !count {
        eprintln!("Without valgrind, instructions are not counted.");
    }
    let figures: Vec<Figures> = subjects
        .iter()
        .zip(samples)
        .map(|(subject, samples)| {
            eprint!("\r\x1b[KSizes and instructions: {}", subject.name);
            let calls = samples[0].calls / (WARM_REQUESTS + 1);
            Figures {
                samples,
                zip_bytes: zip_bytes(&subject.deployed, &built.join("deployed.zip")),
                instructions: count.then(|| instructions(subject, &aws, calls)).flatten(),
            }
        })
        .collect();
    eprintln!();

    let table = report::table(&subjects, &figures);
    let goals = report::goals(&subjects, &figures);
    println!("\n{table}\n{goals}");
    if before.is_some() {
        return;
    }
    let page = report::page(
        &machine::machine(),
        &[machine::versions(), machine::peer_versions()]
            .concat()
            .join(", "),
        &table,
        &goals,
    );
    std::fs::write(bench.join("results.md"), page).unwrap();
}

fn measure(subject: &Subject, aws: &Aws, warm_requests: usize) -> Sample {
    const TIME: Duration = Duration::from_secs(30);
    let fail = |errors: String| -> ! { panic!("{} ended: {errors}", subject.name) };
    let calls_before = aws.calls();
    let mut command = subject.command(&[], &aws.environment());
    let started = Instant::now();
    let mut process = Process::start(&mut command);
    process.ready().unwrap_or_else(|errors| fail(errors));
    let init = started.elapsed();
    let id = process.id();
    let mut request = || {
        let started = Instant::now();
        let answer = process.invoke(&subject.event, TIME);
        let time = started.elapsed();
        let answer = answer.unwrap_or_else(|errors| fail(errors));
        process.ready().unwrap_or_else(|errors| fail(errors));
        (time, answer)
    };
    let (first, answer) = request();
    let cold_cpu = cpu_time(id);
    let mut warm: Vec<Duration> = (0..warm_requests).map(|_| request().0).collect();
    warm.sort();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert!(subject.accepts(&answer), "{}: {answer}", subject.name);
    Sample {
        init,
        first,
        cold_cpu,
        warm,
        peak_kib: process.peak_kib(),
        calls: aws.calls() - calls_before,
        answer,
    }
}

/// The processor time of a process's threads.
fn cpu_time(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let nanoseconds = threads.map(|thread| -> u64 {
        let statistics = std::fs::read_to_string(thread.unwrap().path().join("schedstat"));
        let statistics = statistics.unwrap();
        statistics.split(' ').next().unwrap().parse().unwrap()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Checks that the peers answer as `sign-in` does, so that they do the same work.
fn compare_answers(subjects: &[Subject], samples: &[Vec<Sample>]) {
    let answer_of = |name: &str| {
        let index = subjects.iter().position(|subject| subject.name == name);
        let answer = Answer::of_function(&samples[index.unwrap()][0].answer);
        let headers = answer.headers();
        let headers: BTreeMap<_, _> = headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        (answer.status, headers, answer.json())
    };
    let ours = answer_of("sign-in");
    for peer in subjects.iter().filter(|subject| subject.kind == Kind::Peer) {
        assert_eq!(answer_of(&peer.name), ours, "{}", peer.name);
    }
}

/// The size of the uploaded zip.
fn zip_bytes(deployed: &Path, zip: &PathBuf) -> u64 {
    let arguments = ["-m", "zipfile", "-c"];
    let status = Command::new("python3")
        .args(arguments)
        .args([zip.as_path(), deployed])
        .status();
    assert!(
        status.unwrap().success(),
        "{} can't be zipped",
        deployed.display()
    );
    let bytes = std::fs::metadata(zip).unwrap().len();
    std::fs::remove_file(zip).unwrap();
    bytes
}

/// A cold start's instructions, or `None` after ten failed attempts. Callgrind is so slow that a call of AWS can time
/// out. Such a count is discarded.
fn instructions(subject: &Subject, aws: &Aws, calls: usize) -> Option<u64> {
    (0..10).find_map(|_| {
        let (calls_before, connections_before) = (aws.calls(), aws.connections());
        let (count, answer) = count(subject, aws);
        let same_work = subject.accepts(&answer)
            && aws.calls() - calls_before == calls
            // The calls of a process share a connection.
            && aws.connections() - connections_before == calls.min(1);
        same_work.then_some(count)
    })
}

/// The instructions from the process's start until it requests its second event, and its answer to the first.
fn count(subject: &Subject, aws: &Aws) -> (u64, Value) {
    const TIME: Duration = Duration::from_secs(120);
    let callgrind = [
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
    ];
    let mut command = subject.command(&callgrind, &aws.environment());
    // Go interrupts its own threads with signals, which crash callgrind.
    command.env("GODEBUG", "asyncpreemptoff=1");
    let mut process = Process::start(&mut command);
    let answer = process
        .ready()
        .and_then(|()| process.invoke(&subject.event, TIME))
        .and_then(|answer| process.ready().map(|()| answer));
    let answer = answer.unwrap_or_else(|errors| panic!("{} ended: {errors}", subject.name));
    machine::output("kill", &[&process.id().to_string()]);
    let report = process.ready().unwrap_err();
    let count = report
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, count) = count.unwrap_or_else(|| panic!("callgrind did not count: {report}"));
    (
        count.trim().parse().unwrap(),
        serde_json::from_str(&answer).unwrap(),
    )
}
