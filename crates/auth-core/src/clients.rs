//! The one place where AWS clients are made: how long they wait and whether they repeat. Whom they trust, and how
//! they connect, is in `connector`.
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
};
use aws_sdk_cognitoidentityprovider::error::SdkError;
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use aws_types::SdkConfig;

use crate::config::{ConfigError, Env};
use crate::connector::Connector;
use crate::telemetry::Watch;

/// One operation without a repeat. Cognito waits up to 5 s for each trigger, and calls a slow one again.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);
/// One attempt of an operation that is harmless to repeat.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
/// One read or write of the one-time codes' limits.
const DYNAMODB_TIMEOUT: Duration = Duration::from_millis(600);
/// One message.
const SNS_TIMEOUT: Duration = Duration::from_millis(1400);

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
    let connector = SharedHttpConnector::new(Connector::from_env(env)?);
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(env.required("AWS_REGION")?))
        .http_client(http_client_fn(move |_, _| connector.clone()))
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
    TimeoutConfig::builder().operation_timeout(OPERATION_TIMEOUT)
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
