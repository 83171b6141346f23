//! The stand-in for AWS: Cognito, DynamoDB and SNS behind one address, over TLS, answering at once as it is told.

use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use e2e::http::{Request, respond};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_RSA_SHA256,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::TLS13;
use rustls::{CipherSuite, ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

/// The stand-in, until the program ends.
pub struct Aws {
    port: u16,
    authority: PathBuf,
    state: Arc<State>,
}

/// What the stand-in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// It does what it is asked.
    Yes,
    /// It refuses, with this exception.
    No(&'static str),
    /// It fails.
    Error,
    /// It reads the request and closes the connection.
    Nothing,
}

struct State {
    calls: AtomicUsize,
    says: Mutex<Says>,
}

impl Aws {
    /// Starts it, with a certificate of an authority that lives as long and is trusted by nobody else.
    pub fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let authority = folder.join(format!("authority-{port}.pem"));
        let config = Arc::new(tls(&authority));
        let state = Arc::new(State {
            calls: AtomicUsize::new(0),
            says: Mutex::new(Says::Yes),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (config, state) = (Arc::clone(&config), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, config, &state));
            }
        });
        Self {
            port,
            authority,
            state,
        }
    }

    /// Has it answer so from now on; at first it says [`Says::Yes`].
    pub fn says(&self, says: Says) {
        *self.state.says.lock().unwrap() = says;
    }

    /// What leads a process here. Its address is a name, as AWS's are, so that it has to be looked up.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        let authority = self.authority.display().to_string();
        [
            (
                "AWS_ENDPOINT_URL",
                format!("https://localhost:{}", self.port),
            ),
            ("AWS_CA_BUNDLE", authority.clone()),
            // Node.js does not know the one above.
            ("NODE_EXTRA_CA_CERTS", authority),
        ]
    }

    /// How many requests it has answered.
    pub fn calls(&self) -> usize {
        self.state.calls.load(Ordering::Relaxed)
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        std::fs::remove_file(&self.authority).ok();
    }
}

/// As AWS's own endpoints are: three RSA certificates, the last of which the other side has to know, and
/// TLS 1.3 with AES-128-GCM where the client can.
fn tls(authority: &Path) -> ServerConfig {
    let key = || KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let authority_of = |name: &str| {
        let mut certificate = CertificateParams::new([]).unwrap();
        certificate.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        certificate
            .distinguished_name
            .push(DnType::CommonName, name);
        certificate
    };
    let root = CertifiedIssuer::self_signed(authority_of("Root"), key()).unwrap();
    std::fs::write(authority, root.pem()).unwrap();
    let issuer = CertifiedIssuer::signed_by(authority_of("Issuer"), key(), &root).unwrap();
    let server_key = key();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&server_key, &issuer).unwrap();

    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider
        .cipher_suites
        .retain(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
    ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![server.der().clone(), issuer.der().clone()],
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server_key.serialize_der())),
        )
        .unwrap()
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, state: &State) {
    stream.set_nodelay(true).unwrap();
    let connection = ServerConnection::new(config).unwrap();
    let mut connection = BufReader::new(StreamOwned::new(connection, stream));
    while let Some(request) = Request::read(&mut connection) {
        state.calls.fetch_add(1, Ordering::Relaxed);
        let says = *state.says.lock().unwrap();
        let (status, (content_type, body)) = match says {
            Says::Yes => ("200 OK", success(&request)),
            Says::No(exception) => ("400 Bad Request", exception_of(exception)),
            Says::Error => (
                "500 Internal Server Error",
                exception_of("InternalErrorException"),
            ),
            Says::Nothing => return,
        };
        let headers = format!("Content-Type: {content_type}\r\nx-amzn-RequestId: 1\r\n");
        if respond(connection.get_mut(), status, &headers, &body).is_err() {
            return;
        }
    }
}

const JSON: &str = "application/x-amz-json-1.1";

fn exception_of(name: &str) -> (&'static str, String) {
    (
        JSON,
        json!({ "__type": name, "message": "No." }).to_string(),
    )
}

fn success(request: &Request) -> (&'static str, String) {
    let operation = request.header("x-amz-target").unwrap_or_default();
    let body: Value = match operation.rsplit('.').next().unwrap_or_default() {
        "InitiateAuth" if request.body.contains("\"CUSTOM_AUTH\"") => json!({
            "ChallengeName": "CUSTOM_CHALLENGE",
            "ChallengeParameters": {},
            "Session": token("session", 900),
        }),
        "InitiateAuth" | "RespondToAuthChallenge" | "GetTokensFromRefreshToken" => json!({
            "ChallengeParameters": {},
            "AuthenticationResult": {
                "AccessToken": token("access", 1050),
                "IdToken": token("id", 1100),
                "RefreshToken": token("refresh", 1800),
                "ExpiresIn": 3600,
                "TokenType": "Bearer",
            },
        }),
        "SignUp" => json!({
            "UserConfirmed": false,
            "UserSub": "75d55ff4-3c1d-4c52-9a5e-5f0c3c0a3b0d",
        }),
        "ResendConfirmationCode" | "ForgotPassword" => json!({
            "CodeDeliveryDetails": {
                "AttributeName": "email",
                "DeliveryMedium": "EMAIL",
                "Destination": "u***@e***",
            },
        }),
        "ConfirmSignUp"
        | "ConfirmForgotPassword"
        | "GlobalSignOut"
        | "AdminAddUserToGroup"
        | "GetItem"
        | "UpdateItem" => json!({}),
        "" if request.body.starts_with("Action=Publish&") => {
            let id = "<MessageId>75d55ff4-3c1d-4c52-9a5e-5f0c3c0a3b0d</MessageId>";
            return (
                "text/xml",
                format!("<PublishResponse><PublishResult>{id}</PublishResult></PublishResponse>"),
            );
        }
        _ => panic!("an operation that nobody is expected to call: {operation}"),
    };
    (JSON, body.to_string())
}

/// What is as long as Cognito's own of this kind.
fn token(kind: &str, length: usize) -> String {
    format!("{kind:-<length$}")
}
