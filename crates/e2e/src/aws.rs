//! The stand-in for AWS: Cognito, DynamoDB and SNS behind one address, over TLS. It answers at once, or as badly
//! as it is told.

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

/// The stand-in, until this value is dropped.
#[derive(Debug)]
pub struct Aws {
    shared: Arc<Shared>,
}

/// What is wrong with it, from when on, and how often.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// What.
    pub fault: Fault,
    /// The operation that it hits, or every one. What is wrong with connections hits whatever is called over them.
    pub operation: Option<&'static str>,
    /// How many requests are answered well before it begins.
    pub after: usize,
    /// How often it hits.
    pub most: usize,
}

impl Trouble {
    fn hits(&self, operation: &str) -> bool {
        self.operation.is_none_or(|hit| hit == operation)
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
    trouble: Option<Trouble>,
    /// Since the trouble was made: well answered requests, hits, and the requests as they came.
    answered: usize,
    hits: usize,
    requests: Vec<(String, String)>,
    signature: Option<String>,
    door: Door,
    /// What fills the queue of a listener that is not answering.
    queued: Vec<TcpStream>,
    /// Every connection that is open.
    open: Vec<Connection>,
    /// How many connections there have been, and how many threads still serve one.
    connections: usize,
    serving: usize,
}

/// What becomes of who connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Door {
    #[default]
    Open,
    /// About to be shut with this fault: the thread that accepts is still to see it.
    Closing(Fault),
    Shut,
    /// For good.
    Ended,
}

#[derive(Debug)]
struct Connection {
    number: usize,
    stream: TcpStream,
    /// Whether it was there when the trouble was made.
    old: bool,
}

const BACKLOG: i32 = 128;

impl Aws {
    /// Starts it, with the certificates of this authority.
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

    /// What leads a process here. Its address is a name, as AWS's are, so that it has to be looked up.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        let authority = self.shared.authority.path().display().to_string();
        let port = self.shared.address.port();
        [
            ("AWS_ENDPOINT_URL", format!("https://localhost:{port}")),
            ("AWS_CA_BUNDLE", authority.clone()),
            // Node.js does not know the one above.
            ("NODE_EXTRA_CA_CERTS", authority),
        ]
    }

    /// How many requests it has read.
    pub fn calls(&self) -> usize {
        self.shared.state().calls
    }

    /// How often it was connected to.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Goes wrong in this way, until it recovers.
    pub fn fail(&self, trouble: Trouble) {
        let mut state = self.shared.state();
        state.requests.clear();
        (state.answered, state.hits) = (0, 0);
        for connection in &mut state.open {
            connection.old = true;
        }
        let at_once = trouble.after == 0;
        state.trouble = Some(trouble);
        if at_once {
            drop(self.shared.begin(state));
        }
    }

    /// Answers whatever it is asked with this fault, or well.
    pub fn answer_with(&self, fault: Option<Fault>) {
        match fault {
            None => self.recover(),
            Some(fault) => self.fail(Trouble {
                fault,
                operation: None,
                after: 0,
                most: usize::MAX,
            }),
        }
    }

    /// Answers well again.
    pub fn recover(&self) {
        let mut state = self.shared.state();
        state.trouble = None;
        state.queued.clear();
        if state.door == Door::Shut {
            self.shared.listener.listen(BACKLOG).unwrap();
            state.door = Door::Open;
            self.shared.changed.notify_all();
        }
    }

    /// How often it was asked for the operation since it went wrong, or connected to where connections are
    /// what is wrong; `None` where it can't know.
    pub fn attempts(&self) -> Option<usize> {
        let state = self.shared.state();
        let trouble = state.trouble.as_ref()?;
        match trouble.fault.scope() {
            Scope::Door => None,
            Scope::Connection => Some(state.hits),
            Scope::Answer => {
                let requests = state.requests.iter().skip(trouble.after);
                let mut requests = requests.filter(|request| trouble.hits(&request.0));
                // A repeat is the same to the letter.
                let first = requests.next();
                Some(first.map_or(0, |first| {
                    1 + requests.filter(|next| *next == first).count()
                }))
            }
        }
    }

    /// The operations that it was asked for since it was told to fail.
    pub fn operations(&self) -> Vec<String> {
        let state = self.shared.state();
        let requests = state.requests.iter();
        requests.map(|(name, _)| name.clone()).collect()
    }

    /// The bodies of the requests for an operation since it was told to fail.
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

    /// Closes every connection that is open, or resets it.
    pub fn hang_up(&self, reset: bool) {
        let mut state = self.shared.state();
        for connection in std::mem::take(&mut state.open) {
            if reset {
                reset_on_close(&connection.stream);
            }
            // Wakes up who reads from it, and closes it with that.
            connection.stream.shutdown(Shutdown::Read).ok();
        }
        while state.serving > 0 {
            let wait = self.shared.changed.wait_timeout(state, PATIENCE).unwrap();
            assert!(!wait.1.timed_out(), "a connection stays open");
            state = wait.0;
        }
    }
}

/// How long a connection takes to be closed at most.
const PATIENCE: Duration = Duration::from_secs(5);

impl Drop for Aws {
    fn drop(&mut self) {
        self.shared.state().door = Door::Ended;
        self.shared.listener.shutdown(Shutdown::Read).ok();
        self.shared.changed.notify_all();
    }
}

/// A listener whose port stays its own when it stops listening.
fn listener() -> (Socket, SocketAddr) {
    loop {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let address = address.unwrap();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // Else it could not listen again while connections from before are open.
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
                    std::thread::spawn(move || shared.connected(socket.into()));
                }
                Err(_) => {
                    let mut state = self.state();
                    if let Door::Closing(fault) = state.door {
                        if fault == Fault::Unanswered {
                            state.queued = self.fill_the_queue();
                        }
                        state.door = Door::Shut;
                        self.changed.notify_all();
                    }
                    let shut = |state: &mut State| state.door == Door::Shut;
                    let state = self.changed.wait_while(state, shut).unwrap();
                    if state.door == Door::Ended {
                        return;
                    }
                }
            }
        }
    }

    /// Who connects after these is not answered: the queue takes one, and nobody takes it from there.
    fn fill_the_queue(&self) -> Vec<TcpStream> {
        self.listener.listen(0).unwrap();
        let connect = || TcpStream::connect_timeout(&self.address, Duration::from_millis(100)).ok();
        std::iter::from_fn(connect).collect()
    }

    /// Shuts the door, where that is what is wrong.
    fn begin<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let trouble = state.trouble.as_ref();
        let Some(fault) = trouble.map(|trouble| trouble.fault) else {
            return state;
        };
        if fault.scope() != Scope::Door {
            return state;
        }
        state.door = Door::Closing(fault);
        // Wakes up who accepts.
        self.listener.shutdown(Shutdown::Read).unwrap();
        let closing = |state: &mut State| matches!(state.door, Door::Closing(_));
        self.changed.wait_while(state, closing).unwrap()
    }

    fn connected(&self, stream: TcpStream) {
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
                state.hit(|trouble| trouble.fault.scope() == Scope::Connection),
            )
        };
        // Whatever becomes of it is the other side's affair.
        self.serve(stream, number, fault).ok();
        let mut state = self.state();
        state.open.retain(|connection| connection.number != number);
        state.serving -= 1;
        self.changed.notify_all();
    }

    fn serve(&self, stream: TcpStream, number: usize, fault: Option<Fault>) -> io::Result<()> {
        if fault == Some(Fault::HandshakeStalls) {
            return swallow(stream);
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
            match self.heard(&call, &request, number) {
                Some(fault) => {
                    if !fault.play(&call, &reply, connection.get_mut())? {
                        if fault == Fault::ResetRead {
                            reset_on_close(&connection.get_ref().sock);
                        }
                        if fault.is_silent() {
                            swallow(connection)?;
                        }
                        return Ok(());
                    }
                }
                None => {
                    let last = self.answering();
                    send(&reply, connection.get_mut(), last)?;
                    if last {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts a request; gives what is wrong with its answer.
    fn heard(&self, call: &Call, request: &Request, number: usize) -> Option<Fault> {
        let mut state = self.state();
        state.calls += 1;
        let operation = &*call.operation;
        if let Some(signature) = request.header("authorization") {
            state.signature = Some(signature.to_owned());
        }
        if state.trouble.is_some() {
            let request = (operation.to_owned(), request.body.clone());
            state.requests.push(request);
        }
        let old = |connection: &Connection| connection.number == number && connection.old;
        let old = state.open.iter().any(old);
        state.hit(|trouble| match trouble.fault {
            Fault::Forgotten => old,
            fault => fault.scope() == Scope::Answer && trouble.hits(operation),
        })
    }

    /// Counts a good answer; tells whether the connection ends with it, as connections are about to go wrong.
    fn answering(&self) -> bool {
        let mut state = self.state();
        state.answered += 1;
        let answered = state.answered;
        let begins = state.trouble.as_ref().is_some_and(|trouble| {
            trouble.after == answered && trouble.fault.scope() != Scope::Answer
        });
        if begins {
            drop(self.begin(state));
        }
        begins
    }
}

impl State {
    /// What is wrong, if something is by now and it hits this time.
    fn hit(&mut self, hits: impl Fn(&Trouble) -> bool) -> Option<Fault> {
        let trouble = self.trouble.as_ref()?;
        if self.answered < trouble.after || self.hits >= trouble.most || !hits(trouble) {
            return None;
        }
        self.hits += 1;
        Some(trouble.fault)
    }
}

/// Reads until the other side has had enough.
fn swallow(mut connection: impl Read) -> io::Result<()> {
    io::copy(&mut connection, &mut io::sink()).map(drop)
}
