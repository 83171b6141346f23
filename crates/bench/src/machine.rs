//! The machine, the versions of tools, and the open files of a process.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The output of a program, trimmed.
pub fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program} can't be run: {error}"));
    assert!(output.status.success(), "{program} fails");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Whether valgrind is installed.
pub fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok()
}

/// A one-line description of the machine.
pub fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let after_colon = |text: &str, key| {
        let line = text.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_once(':'))
            .map_or("unknown", |(_, value)| value.trim())
            .to_owned()
    };
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = after_colon(&memory, "MemTotal");
    let memory: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
    format!(
        "{} ({}), {cores} cores, {} GiB, Linux {}",
        after_colon(&cpu, "model name"),
        std::env::consts::ARCH,
        memory.div_ceil(1 << 20),
        read("/proc/sys/kernel/osrelease").trim()
    )
}

/// The versions of the tools and crates of the functions.
pub fn versions() -> Vec<String> {
    let lock = read("../../Cargo.lock");
    let locked = |name: &str| {
        let (_, version) = lock
            .split_once(&format!("name = \"{name}\"\nversion = \""))
            .unwrap();
        format!("{name} {}", version.split('"').next().unwrap())
    };
    vec![
        output("rustc", &["--version"]),
        locked("lambda_runtime"),
        locked("aws-sdk-cognitoidentityprovider"),
    ]
}

/// The versions of the tools and libraries of the peers.
pub fn peer_versions() -> Vec<String> {
    let package: Value = serde_json::from_str(&read("peers/node/package.json")).unwrap();
    let requirements = read("peers/python/requirements.txt");
    let boto3 = requirements
        .split_whitespace()
        .find(|word| word.starts_with("boto3=="));
    let go = output("go", &["version"]);
    let go_sdk = "golang-github-aws-aws-sdk-go-v2-dev";
    let mut versions = vec![
        go.split(' ').nth(2).unwrap().replace("go", "Go "),
        format!(
            "aws-sdk-go-v2 {}",
            output("dpkg-query", &["--show", "--showformat=${Version}", go_sdk])
        ),
        format!("Node.js {}", output("node", &["--version"])),
        format!(
            "client-cognito-identity-provider {}",
            package["dependencies"]["@aws-sdk/client-cognito-identity-provider"]
                .as_str()
                .unwrap()
        ),
        output("python3", &["--version"]),
        boto3.unwrap().replace("==", " "),
    ];
    if has_valgrind() {
        versions.push(output("valgrind", &["--version"]));
    }
    versions
}

/// A file of this package.
fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The number of a process's open files and sockets.
pub fn open_files(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}
