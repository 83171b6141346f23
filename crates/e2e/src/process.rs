//! A process with its own Lambda Runtime API: it requests an event, answers it, and requests the next.

use std::io::{BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use socket2::SockRef;

use crate::http::{Request, respond};

/// The process and its Runtime API. Dropping this value kills the process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lambda: TcpListener,
    connection: Option<BufReader<TcpStream>>,
    ended: Receiver<String>,
}

impl Process {
    /// Starts it, with `AWS_LAMBDA_RUNTIME_API` in its environment.
    pub fn start(command: &mut Command) -> Self {
        Self::start_printing(command, Stdio::null())
    }

    /// As [`Process::start`], with its standard output in `output`.
    pub fn start_printing(command: &mut Command, output: impl Into<Stdio>) -> Self {
        let lambda = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = lambda.local_addr().unwrap();
        let mut child = command
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let (end, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let mut errors = Vec::new();
            stderr.read_to_end(&mut errors).ok();
            end.send(String::from_utf8_lossy(&errors).into_owned()).ok();
            // Ends a wait for the process to connect: this connection sends nothing.
            TcpStream::connect(address).ok();
        });
        Self {
            child,
            lambda,
            connection: None,
            ended,
        }
    }

    /// Kills it, and returns what it wrote to standard error.
    pub fn end(mut self) -> String {
        self.child.kill().ok();
        self.ended.recv().unwrap_or_default()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address of its Runtime API.
    pub fn lambda(&self) -> SocketAddr {
        self.lambda.local_addr().unwrap()
    }

    /// Waits until it requests an event.
    ///
    /// # Errors
    /// If it ended instead: what it wrote to standard error.
    pub fn ready(&mut self) -> Result<(), String> {
        let request = self.request(None)?;
        let next = "GET /2018-06-01/runtime/invocation/next ";
        assert!(request.line.starts_with(next), "{}", request.line);
        Ok(())
    }

    /// Freezes it, as Lambda does between two events, until [`Process::thaw`].
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Continues it.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let kill = Command::new("kill").args(["-s", name, &id]).status();
        assert!(kill.unwrap().success(), "no process to send {name}");
    }

    /// Its peak resident memory, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.memory_kib("VmHWM")
    }

    /// Its resident memory, in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.memory_kib("VmRSS")
    }

    fn memory_kib(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(figure));
        let number = line.unwrap().trim_matches(|c: char| !c.is_ascii_digit());
        number.parse().unwrap()
    }

    /// Sends an event to a process that is [`ready`](Self::ready), and returns its unparsed answer or error. Kills it
    /// after `time`, as Lambda does.
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    pub fn invoke(&mut self, event: &str, time: Duration) -> Result<String, String> {
        self.invoke_with("", event, time)
    }

    /// As [`invoke`](Self::invoke), with more headers of the Runtime API, each with its line end.
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    pub fn invoke_with(
        &mut self,
        headers: &str,
        event: &str,
        time: Duration,
    ) -> Result<String, String> {
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + time;
        let headers = format!(
            "Content-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 1\r\n\
             Lambda-Runtime-Deadline-Ms: {}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:f\r\n{headers}",
            deadline.as_millis()
        );
        self.respond("200 OK", &headers, event);
        let request = self.request(Some(Instant::now() + time))?;
        let answer = "POST /2018-06-01/runtime/invocation/1/";
        assert!(request.line.starts_with(answer), "{}", request.line);
        self.respond("202 Accepted", "Content-Type: application/json\r\n", "{}");
        Ok(request.body)
    }

    /// The next request. If none comes before the deadline, the process is killed.
    fn request(&mut self, deadline: Option<Instant>) -> Result<Request, String> {
        let left = || {
            let left = deadline?.saturating_duration_since(Instant::now());
            // Zero would mean no timeout.
            Some(left.max(Duration::from_millis(1)))
        };
        loop {
            if let Some(connection) = &mut self.connection {
                connection.get_ref().set_read_timeout(left()).unwrap();
                if let Some(request) = Request::read(connection) {
                    return Ok(request);
                }
            }
            match self.ended.try_recv() {
                Ok(errors) => return Err(errors),
                Err(TryRecvError::Disconnected) => return Err(String::new()),
                Err(TryRecvError::Empty) => {}
            }
            SockRef::from(&self.lambda)
                .set_read_timeout(left())
                .unwrap();
            match self.lambda.accept() {
                Ok((stream, _)) => {
                    stream.set_nodelay(true).unwrap();
                    self.connection = Some(BufReader::new(stream));
                }
                Err(_) => self.child.kill().unwrap(),
            }
        }
    }

    fn respond(&mut self, status: &str, headers: &str, body: &str) {
        if let Some(connection) = &mut self.connection {
            respond(connection.get_mut(), status, headers, body).ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
