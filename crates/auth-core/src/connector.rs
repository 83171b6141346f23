//! HTTP for the SDK's clients: hyper and rustls, over HTTP/1.1, which all of AWS's endpoints support.
//!
//! The SDK's own connector also has proxies and HTTP/2, and takes a tenth of a function's size:
//! `crates/bench/README.md` has the figures.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{HttpConnector as SdkConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http::Uri;
use http_body_util::Limited;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use crate::config::{self, Env, bad_value};

/// Looking up the name, connecting, and the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// An idle connection is not used again after this time. Every server keeps connections longer. So a request that can't
/// be repeated is not lost on a connection that was closed while Lambda froze the function.
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(20);

/// Much more than any answer has: tokens are the largest.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// The roots that AWS's endpoints chain to: Amazon Root CA 1 to 4 and Starfield Services Root G2, as
/// published at <https://www.amazontrust.com/repository/> and in Mozilla's list. Valid until 2038-01-17
/// (CA 1), 2040-05-26 (2, 3 and 4) and 2037-12-31 (Starfield). To update, replace the files (DER): AWS
/// announces a new root years ahead.
const AMAZON_TRUST_SERVICES: [&[u8]; 5] = [
    include_bytes!("../trust/amazon-root-ca-1.cer"),
    include_bytes!("../trust/amazon-root-ca-2.cer"),
    include_bytes!("../trust/amazon-root-ca-3.cer"),
    include_bytes!("../trust/amazon-root-ca-4.cer"),
    include_bytes!("../trust/starfield-services-root-g2.cer"),
];

/// Sends the SDK's requests, and keeps connections for the next ones. It has its own timeouts, and ignores the connect
/// and read timeouts of the SDK's `TimeoutConfig`.
#[derive(Debug)]
pub(crate) struct Connector {
    connect: Connect,
    pool: Mutex<Pool>,
}

/// Connections, and the time of the last request by the system's clock. The client itself uses [`Instant`], whose clock
/// may stand still while Lambda freezes the function.
///
/// [`Instant`]: std::time::Instant
#[derive(Debug)]
struct Pool {
    client: Client<Connect, SdkBody>,
    used: SystemTime,
}

impl Connector {
    /// A connector that trusts AWS's roots, and those of `AWS_CA_BUNDLE` if it is set.
    ///
    /// # Errors
    /// Names the variable if it is bad. Also if the build of TLS is unusable.
    pub(crate) fn from_env(env: Env<'_>) -> config::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connect = Connect(HttpsConnector::from((tcp, tls(trusted(env)?)?)));
        let pool = Mutex::new(Pool {
            client: client(&connect),
            used: SystemTime::now(),
        });
        Ok(Self { connect, pool })
    }

    /// The client for a request that is sent now, with no connection that was idle for too long.
    fn client(&self, now: SystemTime) -> Client<Connect, SdkBody> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = now.duration_since(pool.used);
        // If the clock was set back, the idle time is unknown.
        if idle.is_ok_and(|idle| idle > IDLE_CONNECTION_TIMEOUT) {
            pool.client = client(&self.connect);
        }
        pool.used = now;
        pool.client.clone()
    }
}

fn client(connect: &Connect) -> Client<Connect, SdkBody> {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
        .build(connect.clone())
}

impl SdkConnector for Connector {
    /// Sends nothing over a closed connection, and cuts an answer at [`MAX_ANSWER_BYTES`], because the SDK reads all of it
    /// into memory.
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.client(SystemTime::now());
        HttpConnectorFuture::new(async move {
            // First let the connections notice a reset while Lambda froze the function: a request that is sent once would
            // be lost on such a connection.
            for _ in 0..2 {
                tokio::task::yield_now().await;
            }
            let mut request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let connection = capture_connection(&mut request);
            if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
                capture.set_connection_retriever(move || Some(closable(connection.clone())));
            }
            let response = client.request(request).await;
            // Another connection may work. The caller decides whether to retry.
            let response = response.map_err(|error| ConnectorError::io(error.into()))?;
            let bounded = |body| SdkBody::from_body_1_x(Limited::new(body, MAX_ANSWER_BYTES));
            HttpResponse::try_from(response.map(bounded))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The connection that the SDK closes after a connection's failure, so that the next attempt uses another one.
fn closable(connection: CaptureConnection) -> ConnectionMetadata {
    let close = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    ConnectionMetadata::builder()
        .proxied(false)
        .poison_fn(close)
        .build()
}

type Https = HttpsConnector<HttpConnector>;
type BoxError = Box<dyn StdError + Send + Sync>;

/// Connects within [`CONNECT_TIMEOUT`].
#[derive(Clone, Debug)]
struct Connect(Https);

impl Service<Uri> for Connect {
    type Response = <Https as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
            connected.unwrap_or_else(|_| Err(format!("not within {CONNECT_TIMEOUT:?}").into()))
        })
    }
}

fn tls(trusted: RootCertStore) -> config::Result<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn trusted(env: Env<'_>) -> config::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(AMAZON_TRUST_SERVICES.map(CertificateDer::from));
    if let Some(path) = env.optional("AWS_CA_BUNDLE") {
        add_bundle(&mut roots, &path)
            .ok_or_else(|| bad_value("AWS_CA_BUNDLE", &"the path of a file of PEM certificates"))?;
    }
    Ok(roots)
}

/// Nothing is left out: a bundle with a bad certificate, or with none, is a mistake.
fn add_bundle(roots: &mut RootCertStore, path: &str) -> Option<()> {
    let bundle = std::fs::read(path).ok()?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&bundle) {
        roots.add(certificate.ok()?).ok()?;
    }
    (roots.len() > before).then_some(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustls::NamedGroup;
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// A server that counts its connections, and answers every request.
    fn server() -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::spawn(move || {
                    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    for line in lines.map_while(Result::ok) {
                        if line.is_empty() {
                            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                            (&stream).write_all(answer).unwrap();
                        }
                    }
                });
            }
        });
        (address, connections)
    }

    #[tokio::test]
    async fn the_systems_clock_ends_an_idle_connection_too() {
        let (address, connections) = server();
        let connector = Connector::from_env(Env::new(&|_| None)).unwrap();
        let start = SystemTime::now();
        for (seconds, expected) in [(0, 1), (20, 1), (41, 2), (10, 2)] {
            let request = http::Request::get(format!("http://{address}/"));
            let request = request.body(SdkBody::empty()).unwrap();
            let client = connector.client(start + Duration::from_secs(seconds));
            assert_eq!(client.request(request).await.unwrap().status(), 200);
            // The connection goes back into the pool meanwhile.
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert_eq!(connections.load(Ordering::Relaxed), expected, "{seconds} s");
        }
    }

    #[test]
    fn trusted_roots_have_the_fingerprints_that_amazon_publishes() {
        let fingerprints = AMAZON_TRUST_SERVICES.map(|root| {
            let digest = Sha256::digest(root);
            digest
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        });
        assert_eq!(
            fingerprints,
            [
                "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
                "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
                "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
                "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
                "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
            ]
        );
        let roots = trusted(Env::new(&|_| None)).unwrap();
        assert_eq!(roots.len(), fingerprints.len());
    }

    #[test]
    fn client_hello_offers_post_quantum_key_exchange_first() {
        let config = tls(RootCertStore::empty()).unwrap();
        let provider = config.crypto_provider();
        let mut suites = provider.cipher_suites.iter();
        assert!(suites.clone().any(|suite| suite.tls13().is_some()));
        assert!(suites.any(|suite| suite.tls13().is_none()));
        let first = provider.kx_groups.first().unwrap();
        assert_eq!(first.name(), NamedGroup::X25519MLKEM768);
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    }
}
