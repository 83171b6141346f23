//! The stand-in for AWS: Cognito, DynamoDB, SES and SNS behind one address, over TLS. It answers at once, or with an
//! injected fault.

mod answers;
mod authority;
mod fault;

use std::io::{self, BufReader, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use fake_aws::{Call, Reply};
use rustls::{ServerConnection, StreamOwned};
use socket2::{Domain, SockRef, Socket, Type};

use answers::send;
pub use authority::Authority;
pub use fault::{Fault, Scope};

use crate::http::Request;

/// The stand-in. It runs until this value is dropped.
#[derive(Debug)]
pub struct Aws {
    shared: Arc<Shared>,
}

/// A fault to inject: into which calls, from when on, and how often.
#[derive(Clone, Debug)]
pub struct InjectedFault {
    /// The fault.
    pub fault: Fault,
    /// The operation that it affects; `None` for all. A fault of connections affects every operation.
    pub operation: Option<&'static str>,
    /// The number of requests that succeed before it starts.
    pub after: usize,
    /// The number of requests or connections that it affects.
    pub times: usize,
}

impl InjectedFault {
    fn affects(&self, operation: &str) -> bool {
        self.operation.is_none_or(|affected| affected == operation)
    }
}

#[derive(Debug)]
struct Shared {
    authority: Arc<Authority>,
    address: SocketAddr,
    listener: Socket,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    calls: usize,
    injected: Option<InjectedFault>,
    /// Since the fault was injected: successful answers, affected requests or connections, and all requests.
    answered: usize,
    affected: usize,
    requests: Vec<(String, String)>,
    signature: Option<String>,
    listening: Listening,
    /// The connections that fill the backlog of a listener that does not accept.
    backlog: Vec<TcpStream>,
    /// The open connections.
    open: Vec<Connection>,
    /// The number of connections so far, and of the threads that still serve one.
    connections: usize,
    serving: usize,
}

/// Whether the listener accepts connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Listening {
    #[default]
    Open,
    /// About to close with this fault: the accepting thread has not noticed yet.
    Closing(Fault),
    Closed,
    /// Closed for good.
    Stopped,
}

#[derive(Debug)]
struct Connection {
    number: usize,
    stream: TcpStream,
    /// Whether it was opened before the fault was injected.
    old: bool,
}

const BACKLOG: i32 = 128;

impl Aws {
    /// Starts it with certificates of this authority.
    pub fn start(authority: &Arc<Authority>) -> Self {
        let (listener, address) = listener();
        let shared = Arc::new(Shared {
            authority: Arc::clone(authority),
            address,
            listener,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accepting.accept());
        Self { shared }
    }

    /// The environment variables that make a process call the stand-in. Its address is a name, so that the process
    /// looks it up, as it looks up AWS's names.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        let authority = self.shared.authority.path().display().to_string();
        let port = self.shared.address.port();
        [
            ("AWS_ENDPOINT_URL", format!("https://localhost:{port}")),
            ("AWS_CA_BUNDLE", authority.clone()),
            // Node.js ignores AWS_CA_BUNDLE.
            ("NODE_EXTRA_CA_CERTS", authority),
        ]
    }

    /// The number of requests so far.
    pub fn calls(&self) -> usize {
        self.shared.state().calls
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Injects this fault until [`Aws::recover`].
    pub fn inject(&self, injected: InjectedFault) {
        let mut state = self.shared.state();
        state.requests.clear();
        (state.answered, state.affected) = (0, 0);
        for connection in &mut state.open {
            connection.old = true;
        }
        let at_once = injected.after == 0;
        state.injected = Some(injected);
        if at_once {
            drop(self.shared.stop_listening(state));
        }
    }

    /// Answers every request with this fault, or successfully.
    pub fn answer_with(&self, fault: Option<Fault>) {
        match fault {
            None => self.recover(),
            Some(fault) => self.inject(InjectedFault {
                fault,
                operation: None,
                after: 0,
                times: usize::MAX,
            }),
        }
    }

    /// Removes the injected fault.
    pub fn recover(&self) {
        let mut state = self.shared.state();
        state.injected = None;
        state.backlog.clear();
        if state.listening == Listening::Closed {
            self.shared.listener.listen(BACKLOG).unwrap();
            state.listening = Listening::Open;
            self.shared.changed.notify_all();
        }
    }

    /// The attempts of the first affected call: its requests, or the connections if the fault is one of connections.
    /// `None` if the stand-in can't count them.
    pub fn attempts(&self) -> Option<usize> {
        let state = self.shared.state();
        let injected = state.injected.as_ref()?;
        match injected.fault.scope() {
            Scope::Listener => None,
            Scope::Connection => Some(state.affected),
            Scope::Answer => {
                let requests = state.requests.iter().skip(injected.after);
                let mut requests = requests.filter(|request| injected.affects(&request.0));
                // A retry has the same body.
                let first = requests.next();
                Some(first.map_or(0, |first| {
                    1 + requests.filter(|next| *next == first).count()
                }))
            }
        }
    }

    /// The operations that were called since the fault was injected.
    pub fn operations(&self) -> Vec<String> {
        let state = self.shared.state();
        let requests = state.requests.iter();
        requests.map(|(name, _)| name.clone()).collect()
    }

    /// The bodies of an operation's requests since the fault was injected.
    pub fn requests(&self, operation: &str) -> Vec<String> {
        let state = self.shared.state();
        let requests = state.requests.iter();
        requests
            .filter(|(name, _)| name == operation)
            .map(|(_, body)| body.clone())
            .collect()
    }

    /// The `Authorization` header of the last request that had one.
    pub fn signature(&self) -> Option<String> {
        self.shared.state().signature.clone()
    }

    /// Closes or resets every open connection.
    pub fn close_connections(&self, reset: bool) {
        let mut state = self.shared.state();
        for connection in std::mem::take(&mut state.open) {
            if reset {
                reset_on_close(&connection.stream);
            }
            // Wakes the thread that reads from it, which then closes it.
            connection.stream.shutdown(Shutdown::Read).ok();
        }
        while state.serving > 0 {
            let wait = self
                .shared
                .changed
                .wait_timeout(state, CLOSE_TIMEOUT)
                .unwrap();
            assert!(!wait.1.timed_out(), "a connection stays open");
            state = wait.0;
        }
    }
}

/// The longest time that closing the connections takes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

impl Drop for Aws {
    fn drop(&mut self) {
        self.shared.state().listening = Listening::Stopped;
        self.shared.listener.shutdown(Shutdown::Read).ok();
        self.shared.changed.notify_all();
    }
}

/// A listener that keeps its port when it stops listening.
fn listener() -> (Socket, SocketAddr) {
    loop {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let address = address.unwrap();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // Otherwise it could not listen again while earlier connections are open.
        socket.set_reuse_address(true).unwrap();
        let bound = socket.bind(&address.into());
        if bound.and_then(|()| socket.listen(BACKLOG)).is_ok() {
            return (socket, address);
        }
    }
}

fn reset_on_close(stream: &TcpStream) {
    SockRef::from(stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn accept(self: Arc<Self>) {
        loop {
            match self.listener.accept() {
                Ok((socket, _)) => {
                    let shared = Arc::clone(&self);
                    std::thread::spawn(move || shared.handle_connection(socket.into()));
                }
                Err(_) => {
                    let mut state = self.state();
                    if let Listening::Closing(fault) = state.listening {
                        if fault == Fault::Unanswered {
                            state.backlog = self.fill_backlog();
                        }
                        state.listening = Listening::Closed;
                        self.changed.notify_all();
                    }
                    let closed = |state: &mut State| state.listening == Listening::Closed;
                    let state = self.changed.wait_while(state, closed).unwrap();
                    if state.listening == Listening::Stopped {
                        return;
                    }
                }
            }
        }
    }

    /// Fills the backlog, so that nobody answers later connections.
    fn fill_backlog(&self) -> Vec<TcpStream> {
        self.listener.listen(0).unwrap();
        let connect = || TcpStream::connect_timeout(&self.address, Duration::from_millis(100)).ok();
        std::iter::from_fn(connect).collect()
    }

    /// Stops listening if the injected fault needs that.
    fn stop_listening<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let injected = state.injected.as_ref();
        let Some(fault) = injected.map(|injected| injected.fault) else {
            return state;
        };
        if fault.scope() != Scope::Listener {
            return state;
        }
        state.listening = Listening::Closing(fault);
        // Wakes the accepting thread.
        self.listener.shutdown(Shutdown::Read).unwrap();
        let closing = |state: &mut State| matches!(state.listening, Listening::Closing(_));
        self.changed.wait_while(state, closing).unwrap()
    }

    fn handle_connection(&self, stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let (number, fault) = {
            let mut state = self.state();
            state.connections += 1;
            state.serving += 1;
            let number = state.connections;
            let connection = Connection {
                number,
                stream: stream.try_clone().unwrap(),
                old: false,
            };
            state.open.push(connection);
            (
                number,
                state.next_fault(|injected| injected.fault.scope() == Scope::Connection),
            )
        };
        // The client reports a broken connection.
        self.serve(stream, number, fault).ok();
        let mut state = self.state();
        state.open.retain(|connection| connection.number != number);
        state.serving -= 1;
        self.changed.notify_all();
    }

    fn serve(&self, stream: TcpStream, number: usize, fault: Option<Fault>) -> io::Result<()> {
        if fault == Some(Fault::HandshakeStalls) {
            return drain(stream);
        }
        let config = self.authority.server(fault);
        let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        if fault == Some(Fault::ResetUnread) {
            while tls.conn.is_handshaking() {
                tls.conn.complete_io(&mut tls.sock)?;
            }
            reset_on_close(&tls.sock);
            return Ok(());
        }
        let mut connection = BufReader::new(tls);
        while let Some(request) = Request::read(&mut connection) {
            let call = request.call();
            let reply = Reply::success(&call);
            match self.record_request(&call, &request, number) {
                Some(fault) => {
                    if !fault.answer(&call, &reply, connection.get_mut())? {
                        if fault == Fault::ResetRead {
                            reset_on_close(&connection.get_ref().sock);
                        }
                        if fault.is_silent() {
                            drain(connection)?;
                        }
                        return Ok(());
                    }
                }
                None => {
                    let last = self.record_success();
                    send(&reply, connection.get_mut(), last)?;
                    if last {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Records a request; returns the fault of its answer, if any.
    fn record_request(&self, call: &Call, request: &Request, number: usize) -> Option<Fault> {
        let mut state = self.state();
        state.calls += 1;
        let operation = &*call.operation;
        if let Some(signature) = request.header("authorization") {
            state.signature = Some(signature.to_owned());
        }
        if state.injected.is_some() {
            let request = (operation.to_owned(), request.body.clone());
            state.requests.push(request);
        }
        let old = |connection: &Connection| connection.number == number && connection.old;
        let old = state.open.iter().any(old);
        state.next_fault(|injected| match injected.fault {
            Fault::Forgotten => old,
            fault => fault.scope() == Scope::Answer && injected.affects(operation),
        })
    }

    /// Records a successful answer. Returns whether the connection ends after it, because a fault of connections
    /// starts.
    fn record_success(&self) -> bool {
        let mut state = self.state();
        state.answered += 1;
        let answered = state.answered;
        let starts = state.injected.as_ref().is_some_and(|injected| {
            injected.after == answered && injected.fault.scope() != Scope::Answer
        });
        if starts {
            drop(self.stop_listening(state));
        }
        starts
    }
}

impl State {
    /// The injected fault, if it has started, has affected fewer than its number of `times`, and `affects` holds.
    fn next_fault(&mut self, affects: impl Fn(&InjectedFault) -> bool) -> Option<Fault> {
        let injected = self.injected.as_ref()?;
        if self.answered < injected.after || self.affected >= injected.times || !affects(injected) {
            return None;
        }
        self.affected += 1;
        Some(injected.fault)
    }
}

/// Reads until the client closes the connection.
fn drain(mut connection: impl Read) -> io::Result<()> {
    io::copy(&mut connection, &mut io::sink()).map(drop)
}
