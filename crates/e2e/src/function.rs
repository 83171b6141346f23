//! A function's real bootstrap as a process of its own, without a stack: what it says to a bad
//! environment, and what it answers when Cognito fails.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// A function that has not started yet, and its environment.
#[derive(Debug)]
pub struct Function {
    name: &'static str,
    environment: BTreeMap<&'static str, String>,
}

/// What a function that ended left behind.
#[derive(Debug)]
pub struct Ended {
    /// Whether it ended without an error.
    pub success: bool,
    /// Everything it wrote, to the log and as errors.
    pub lines: Vec<String>,
}

impl Function {
    /// The function as `make build` built it, without any environment.
    #[track_caller]
    pub fn built(name: &'static str) -> Self {
        let function = Self {
            name,
            environment: BTreeMap::new(),
        };
        let bootstrap = function.bootstrap();
        assert!(
            bootstrap.exists(),
            "The function {name} is not built: run `make test`."
        );
        function
    }

    fn bootstrap(&self) -> PathBuf {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/lambda");
        PathBuf::from(root).join(self.name).join("bootstrap")
    }

    /// The same with a variable more, or with another value of it.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.insert(name, value.into());
        self
    }

    /// The same without a variable.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Starts it where there is no Lambda, so that it ends in any case.
    pub fn run(&self) -> Ended {
        let output = self.command("127.0.0.1:1").output().unwrap();
        let lines = |bytes: &[u8]| -> Vec<String> {
            String::from_utf8(bytes.to_vec())
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect()
        };
        Ended {
            success: output.status.success(),
            lines: [lines(&output.stdout), lines(&output.stderr)].concat(),
        }
    }

    /// Starts it, hands it one event with this much time to answer, and gives the answer, which is `None`
    /// where the function ended without one.
    pub fn answer(&self, event: &Value, time: Duration) -> Option<Value> {
        let lambda = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = lambda.local_addr().unwrap().to_string();
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + time;
        let (told, requests) = mpsc::channel();
        // A quick answer comes on a second connection, before the first one is free again.
        serve_each(lambda, move |stream| {
            let mut connection = BufReader::new(stream);
            while let Some((line, body)) = read_request(&mut connection) {
                let stream = connection.get_ref().try_clone().unwrap();
                if told.send((line, body, stream)).is_err() {
                    return;
                }
            }
        });
        let _process = Process(self.command(&address).spawn().unwrap());
        let patience = time + Duration::from_secs(5);
        while let Ok((line, body, mut stream)) = requests.recv_timeout(patience) {
            if line.starts_with("POST /2018-06-01/runtime/invocation/1/") {
                return Some(serde_json::from_str(&body).unwrap());
            }
            assert!(
                line.starts_with("GET /2018-06-01/runtime/invocation/next "),
                "{line}"
            );
            let headers = format!(
                "Lambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: {}\r\n\
                 Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:f\r\n",
                deadline.as_millis()
            );
            write_answer(&mut stream, "200 OK", &headers, &event.to_string());
        }
        None
    }

    fn command(&self, lambda: &str) -> Command {
        let mut command = Command::new(self.bootstrap());
        command
            .env_clear()
            .envs(&self.environment)
            .env("AWS_LAMBDA_RUNTIME_API", lambda)
            .env("AWS_LAMBDA_FUNCTION_NAME", self.name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A Cognito that answers every request alike, until the test ends.
#[derive(Debug)]
pub struct CognitoDouble {
    address: String,
}

impl CognitoDouble {
    /// Answers with this status line, such as `400 Bad Request`, and body.
    pub fn answering(status: &'static str, body: &'static str) -> Self {
        Self::serving(move |stream| {
            let mut connection = BufReader::new(stream);
            while read_request(&mut connection).is_some() {
                write_answer(connection.get_mut(), status, "", body);
            }
        })
    }

    /// Takes requests and never answers.
    pub fn silent() -> Self {
        Self::serving(|mut stream| {
            let mut nowhere = Vec::new();
            stream.read_to_end(&mut nowhere).ok();
        })
    }

    /// Is not there at all.
    pub fn out_of_reach() -> Self {
        Self {
            address: "127.0.0.1:1".to_owned(),
        }
    }

    fn serving(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        serve_each(listener, serve);
        Self { address }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// How an SNS that is not well behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sns {
    /// It answers that it fails.
    Failing,
    /// It takes messages and never answers.
    Silent,
}

/// What the challenge triggers call, behind the one URL there is for it: a DynamoDB with an empty table, and
/// an SNS that is not well. It keeps what it is asked.
#[derive(Debug)]
pub struct DependenciesDouble {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl DependenciesDouble {
    /// A DynamoDB that works beside this SNS.
    pub fn with(sns: Sns) -> Self {
        Self::answering(move |request| {
            if !request.contains("Action=Publish") {
                return Some(("200 OK", "{}"));
            }
            (sns == Sns::Failing).then_some((
                "500 Internal Server Error",
                "<ErrorResponse><Error><Code>InternalError</Code></Error></ErrorResponse>",
            ))
        })
    }

    /// Neither answers.
    pub fn silent() -> Self {
        Self::answering(|_| None)
    }

    fn answering(
        answer: impl Fn(&str) -> Option<(&'static str, &'static str)> + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = requests.clone();
        serve_each(listener, move |stream| {
            let mut connection = BufReader::new(stream);
            while let Some((_, body)) = read_request(&mut connection) {
                let answer = answer(&body);
                kept.lock().unwrap().push(body);
                match answer {
                    Some((status, body)) => write_answer(connection.get_mut(), status, "", body),
                    None => std::thread::sleep(Duration::from_secs(60)),
                }
            }
        });
        Self { address, requests }
    }

    /// Where they are.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bodies of the requests so far for an operation: `Publish` or `UpdateItem`.
    pub fn requests(&self, operation: &str) -> Vec<String> {
        let mark = match operation {
            "Publish" => "Action=Publish",
            _ => "\"UpdateExpression\"",
        };
        let requests = self.requests.lock().unwrap();
        let bodies = requests.iter().filter(|body| body.contains(mark));
        bodies.cloned().collect()
    }
}

/// Serves every connection in a thread of its own, until the test ends.
fn serve_each(listener: TcpListener, serve: impl Fn(TcpStream) + Clone + Send + 'static) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
}

/// The request's first line and body; `None` where the connection was closed.
fn read_request(connection: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut lines = connection.lines().map_while(Result::ok);
    let first = lines.next()?;
    let headers: Vec<String> = lines
        .take_while(|line| !line.is_empty())
        .map(|line| line.to_ascii_lowercase())
        .collect();
    let header = |name: &str| headers.iter().find_map(|line| line.strip_prefix(name));
    let mut body = Vec::new();
    if let Some(length) = header("content-length:") {
        body.resize(length.trim().parse().unwrap(), 0);
        connection.read_exact(&mut body).ok()?;
    } else if header("transfer-encoding:").is_some() {
        loop {
            let mut size = String::new();
            connection.read_line(&mut size).ok()?;
            let mut chunk = vec![0; usize::from_str_radix(size.trim(), 16).unwrap()];
            connection.read_exact(&mut chunk).ok()?;
            connection.read_line(&mut size).ok()?;
            if chunk.is_empty() {
                break;
            }
            body.extend(chunk);
        }
    }
    Some((first, String::from_utf8(body).unwrap()))
}

fn write_answer(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
}
