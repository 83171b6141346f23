//! A program in a pseudo-terminal, and the typed answers.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Runs a command in a pseudo-terminal.
const WITH_TERMINAL: &str =
    "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// A program in a pseudo-terminal.
#[derive(Debug)]
pub struct Terminal {
    process: Child,
    keyboard: ChildStdin,
    screen: ChildStdout,
    output: String,
}

impl Terminal {
    /// Starts the command. Only its program, arguments and environment are used.
    pub fn start(command: &Command) -> Self {
        let mut terminal = Command::new("python3");
        terminal
            .args(["-c", WITH_TERMINAL])
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => terminal.env(name, value),
                None => terminal.env_remove(name),
            };
        }
        let mut process = terminal.spawn().unwrap();
        Self {
            keyboard: process.stdin.take().unwrap(),
            screen: process.stdout.take().unwrap(),
            process,
            output: String::new(),
        }
    }

    /// Waits for a question, and types a line.
    #[track_caller]
    pub fn answer(&mut self, question: &str, line: &str) {
        self.wait_for(question);
        writeln!(self.keyboard, "{line}").unwrap();
    }

    /// Waits until the output ends with this question.
    #[track_caller]
    pub fn wait_for(&mut self, question: &str) {
        let mut byte = [0];
        while !self.output.ends_with(question) {
            let read = self.screen.read(&mut byte).unwrap_or_default();
            assert!(read > 0, "{question:?} was never asked: {}", self.output);
            self.output.push(char::from(byte[0]));
        }
    }

    /// Waits for the program's end; returns whether it succeeded, and its output.
    pub fn end(mut self) -> (bool, String) {
        let mut rest = Vec::new();
        self.screen.read_to_end(&mut rest).unwrap();
        self.output.push_str(&String::from_utf8_lossy(&rest));
        let success = self.process.wait().unwrap().success();
        (success, self.output.replace("\r\n", "\n"))
    }
}
