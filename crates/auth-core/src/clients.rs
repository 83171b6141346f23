//! The one place where AWS clients are made: what they trust, how long they wait, whether they repeat.
//!
//! Nothing is looked up: no credential chain, no instance metadata, no profile files. Region and
//! credentials are the ones that Lambda puts into the environment; `make watch` puts a developer's there.

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::config::timeout::{TimeoutConfig, TimeoutConfigBuilder};
use aws_sdk_cognitoidentityprovider::config::{
    BehaviorVersion, Builder, Config, Credentials, Region, SharedCredentialsProvider,
    SharedHttpClient,
};
use aws_sdk_cognitoidentityprovider::error::SdkError;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use http_body_util::Limited;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::{ConfigError, Env, bad_value};
use crate::telemetry::Watch;

/// Connecting, with the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// One operation without a repeat. Cognito waits up to 5 s for each trigger, and calls a slow one again.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);
/// One attempt of an operation that is harmless to repeat.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
/// One read or write of the one-time codes' limits.
const DYNAMODB_TIMEOUT: Duration = Duration::from_millis(600);
/// One message.
const SNS_TIMEOUT: Duration = Duration::from_millis(1400);
/// An idle connection is not used again after this: shorter than any server keeps one, so that a request
/// that can't be repeated is not lost on a connection that was closed while Lambda froze the function.
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(20);

/// What no answer comes near: tokens are the largest. Lambda would not take a larger one as ours, either.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// The roots that AWS's endpoints chain to: Amazon Root CA 1 to 4 and Starfield Services Root G2, as
/// published at <https://www.amazontrust.com/repository/> and in Mozilla's list. Valid until 2038-01-17
/// (CA 1), 2040-05-26 (2, 3 and 4) and 2037-12-31 (Starfield). To update, replace the PEM files: AWS
/// announces a new root years ahead.
const AMAZON_TRUST_SERVICES: [&str; 5] = [
    include_str!("../trust/amazon-root-ca-1.pem"),
    include_str!("../trust/amazon-root-ca-2.pem"),
    include_str!("../trust/amazon-root-ca-3.pem"),
    include_str!("../trust/amazon-root-ca-4.pem"),
    include_str!("../trust/starfield-services-root-g2.pem"),
];

/// The user pool as a public client sees it: Cognito and the client's id.
#[derive(Debug)]
pub struct UserPool {
    /// The SDK's client.
    pub cognito: Client,
    /// The pool client's id.
    pub client_id: String,
}

impl UserPool {
    /// A client for operations that Cognito takes unsigned: no credentials. Reads `USER_POOL_CLIENT_ID`,
    /// `AWS_REGION`, and where they are set `AWS_ENDPOINT_URL` and `AWS_CA_BUNDLE`.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(env: Env<'_>) -> Result<Self, ConfigError> {
        Self::with(env, &unsigned(env)?.build())
    }

    /// The same with credentials, for the operations that IAM guards. Reads
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` too.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn signed_from_env(env: Env<'_>) -> Result<Self, ConfigError> {
        Self::with(env, &signed(env)?.build())
    }

    fn with(env: Env<'_>, config: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            cognito: cognito(config),
            client_id: env.required("USER_POOL_CLIENT_ID")?,
        })
    }
}

/// A signed client without a pool client, for the trigger that touches the pool.
///
/// # Errors
/// Names the variable that is missing or bad.
pub fn cognito_from_env(env: Env<'_>) -> Result<Client, ConfigError> {
    Ok(cognito(&signed(env)?.build()))
}

fn cognito(config: &SdkConfig) -> Client {
    Client::from_conf(Builder::from(config).interceptor(Watch).build())
}

/// What the challenge triggers use. Cognito gives a trigger 5 s and then calls it again, so the limits of
/// all calls that one trigger makes (two reads and three writes of DynamoDB, one SNS) stay under 4.5 s.
/// Nothing is repeated: a repeated write would fail its own condition, a repeated message arrive twice.
#[derive(Debug)]
pub struct ChallengeClients {
    /// For the limits.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// For the messages.
    pub sns: aws_sdk_sns::Client,
}

impl ChallengeClients {
    /// Signed clients, as [`UserPool::signed_from_env`].
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(env: Env<'_>) -> Result<Self, ConfigError> {
        let config = signed(env)?.build();
        let within = |limit| {
            let timeouts = TimeoutConfig::builder().operation_timeout(limit).build();
            config.to_builder().timeout_config(timeouts).build()
        };
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(
                aws_sdk_dynamodb::config::Builder::from(&within(DYNAMODB_TIMEOUT))
                    .interceptor(Watch)
                    .build(),
            ),
            sns: aws_sdk_sns::Client::from_conf(
                aws_sdk_sns::config::Builder::from(&within(SNS_TIMEOUT))
                    .interceptor(Watch)
                    .build(),
            ),
        })
    }
}

/// What an operation that is harmless to repeat adds: the SDK's standard retries, with jitter. All others
/// are sent once, as the answer to a repeat would hide that the first one was heard.
pub fn repeatable() -> Builder {
    repeatable_within(ATTEMPT_TIMEOUT)
}

/// As [`repeatable`], for attempts of another length. The two pauses between three attempts take at most
/// half an attempt together, so that all ends within three and a half, or the operation's time.
pub fn repeatable_within(attempt: Duration) -> Builder {
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(attempt / 6);
    Config::builder().retry_config(retries).timeout_config(
        timeouts()
            .operation_attempt_timeout(attempt)
            .operation_timeout(OPERATION_TIMEOUT.min(attempt * 7 / 2))
            .build(),
    )
}

fn unsigned(env: Env<'_>) -> Result<aws_types::sdk_config::Builder, ConfigError> {
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(env.required("AWS_REGION")?))
        .http_client(http_client(env)?)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts().build());
    config.set_endpoint_url(env.optional("AWS_ENDPOINT_URL"));
    Ok(config)
}

fn signed(env: Env<'_>) -> Result<aws_types::sdk_config::Builder, ConfigError> {
    let credentials = Credentials::new(
        env.required("AWS_ACCESS_KEY_ID")?,
        env.required("AWS_SECRET_ACCESS_KEY")?,
        env.optional("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    Ok(unsigned(env)?.credentials_provider(SharedCredentialsProvider::new(credentials)))
}

fn timeouts() -> TimeoutConfigBuilder {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
}

fn http_client(env: Env<'_>) -> Result<SharedHttpClient, ConfigError> {
    let mut roots = TrustStore::empty();
    for root in AMAZON_TRUST_SERVICES {
        roots.add_pem_certificate(root);
    }
    if let Some(path) = env.optional("AWS_CA_BUNDLE") {
        let bundle = std::fs::read(path)
            .ok()
            .filter(|bundle| is_bundle(bundle))
            .ok_or_else(|| bad_value("AWS_CA_BUNDLE", &"the path of a file of PEM certificates"))?;
        roots.add_pem_certificate(bundle);
    }
    let context = TlsContext::builder()
        .with_trust_store(roots)
        .build()
        .map_err(|_| bad_value("AWS_CA_BUNDLE", &"certificates that can be trusted"))?;
    let client = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::AwsLc,
        ))
        .tls_context(context)
        .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
        .build_https();
    // In between, so that the SDK does not have a connector made at its start, only to see that it can be
    // made: the trust store would be parsed a second time.
    Ok(http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Careful(client.http_connector(settings, components)))
    }))
}

/// A connector that sends nothing over a connection which is known to be gone, and whose answers end at
/// [`MAX_ANSWER_BYTES`]: the SDK reads them into memory to their end.
#[derive(Debug)]
struct Careful(SharedHttpConnector);

impl HttpConnector for Careful {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.0.clone();
        HttpConnectorFuture::new(async move {
            // What happened while Lambda froze the function is heard first, then acted upon: a request that is
            // sent once would be lost on a connection that was reset meanwhile.
            for _ in 0..2 {
                tokio::task::yield_now().await;
            }
            let bounded = |body| SdkBody::from_body_1_x(Limited::new(body, MAX_ANSWER_BYTES));
            Ok(connector.call(request).await?.map(bounded))
        })
    }
}

/// Whether the request never left, as there was no connection to send it over.
pub fn was_not_sent<E>(error: &SdkError<E>) -> bool {
    let SdkError::DispatchFailure(failure) = error else {
        return matches!(error, SdkError::ConstructionFailure(_));
    };
    let source = failure.as_connector_error().and_then(StdError::source);
    source
        .and_then(|source| source.downcast_ref::<hyper_util::client::legacy::Error>())
        .is_some_and(hyper_util::client::legacy::Error::is_connect)
}

/// Whether these are certificates that can be roots. The connector takes that for granted, and would panic at
/// the first request.
fn is_bundle(pem: &[u8]) -> bool {
    let mut roots = RootCertStore::empty();
    let good = CertificateDer::pem_slice_iter(pem)
        .all(|certificate| certificate.is_ok_and(|certificate| roots.add(certificate).is_ok()));
    good && !roots.is_empty()
}
