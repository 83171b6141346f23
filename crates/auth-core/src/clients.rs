//! The AWS clients, with their timeouts and retries. All clients are made here. `connector` has the trusted roots and
//! the connections.
//!
//! A release build reads region and credentials only from the environment, which Lambda sets: no profile, no instance
//! metadata. A debug build, as in `cargo lambda watch`, has the SDK's default chain, which finds a developer's
//! credentials as the AWS CLI does.

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::interceptors::InterceptorContext;
use aws_sdk_cognitoidentityprovider::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_cognitoidentityprovider::config::timeout::{TimeoutConfig, TimeoutConfigBuilder};
use aws_sdk_cognitoidentityprovider::config::{
    BehaviorVersion, Builder, Config, Region, SharedCredentialsProvider,
};
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_cognitoidentityprovider::operation::admin_add_user_to_group::AdminAddUserToGroupError;
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpConnector, http_client_fn};
use aws_types::SdkConfig;

use crate::config::{self, Env};
use crate::connector::Connector;
use crate::error::Result;
use crate::exceptions::from_dependency;
use crate::telemetry::UpstreamMetrics;

/// One operation without a retry. Cognito waits up to 5 s for each trigger, and calls a slow one again.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);
/// The second operation of a request: after [`OPERATION_TIMEOUT`] it still ends before Lambda's deadline.
const SECOND_OPERATION_TIMEOUT: Duration = Duration::from_secs(7);
/// One attempt of an operation that is harmless to retry.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
/// Three attempts end within 4.2 s, before what calls [`UserPoolAdmin`] does: Cognito gives a trigger 5 s.
const ADMIN_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1200);
/// One read or write of the one-time codes' limits. Cognito gives a trigger 5 s and then calls it again: all calls that
/// one trigger makes, two reads and three writes of DynamoDB and one message, end within 4.5 s. None is retried: a
/// second write would fail its own condition, a second message arrive twice.
const DYNAMODB_TIMEOUT: Duration = Duration::from_millis(600);
/// One message.
const MESSAGE_TIMEOUT: Duration = Duration::from_millis(1400);

/// The environment of a function, and its way to AWS.
pub struct Setup<'a> {
    /// The environment.
    pub env: Env<'a>,
    sdk: SdkConfig,
}

impl<'a> Setup<'a> {
    /// Over the network. Reads `AWS_REGION`, and if they are set `AWS_ENDPOINT_URL` and `AWS_CA_BUNDLE`.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(env: Env<'a>) -> config::Result<Self> {
        let connector = SharedHttpConnector::new(Connector::from_env(env)?);
        Self::over(env, http_client_fn(move |_, _| connector.clone()))
    }

    /// Over this HTTP client. Reads `AWS_REGION`, and if it is set `AWS_ENDPOINT_URL`.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn over(env: Env<'a>, http_client: impl HttpClient + 'static) -> config::Result<Self> {
        let mut sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(env.required("AWS_REGION")?))
            .http_client(http_client)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts().build());
        sdk.set_endpoint_url(env.optional("AWS_ENDPOINT_URL"));
        Ok(Self {
            env,
            sdk: sdk.build(),
        })
    }

    /// The same with these credentials in place of those that [`Setup::user_pool_admin`] finds.
    pub fn with_credentials(self, credentials: SharedCredentialsProvider) -> Self {
        let sdk = self.sdk.into_builder().credentials_provider(credentials);
        Self {
            sdk: sdk.build(),
            ..self
        }
    }

    /// A client for the operations that Cognito takes unsigned: it has no credentials. Reads `USER_POOL_CLIENT_ID`.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn user_pool(&self) -> config::Result<UserPool> {
        Ok(UserPool {
            cognito: cognito(&self.sdk),
            client_id: self.env.required("USER_POOL_CLIENT_ID")?,
        })
    }

    /// A client for the operations that IAM guards. A release build reads `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn user_pool_admin(&self) -> config::Result<UserPoolAdmin> {
        Ok(UserPoolAdmin(cognito(&self.signed()?)))
    }

    /// For the limits of one-time codes, with credentials as [`Setup::user_pool_admin`].
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn dynamodb(&self) -> config::Result<aws_sdk_dynamodb::Client> {
        let config =
            aws_sdk_dynamodb::config::Builder::from(&self.signed_within(DYNAMODB_TIMEOUT)?);
        Ok(aws_sdk_dynamodb::Client::from_conf(
            config.interceptor(UpstreamMetrics).build(),
        ))
    }

    /// For SMS, with credentials as [`Setup::user_pool_admin`]. Reads `SMS_REGION`: some regions send through another.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn sns(&self) -> config::Result<aws_sdk_sns::Client> {
        let mut config = aws_sdk_sns::config::Builder::from(&self.signed_within(MESSAGE_TIMEOUT)?);
        if let Some(region) = self.env.optional("SMS_REGION") {
            config = config.region(Region::new(region));
        }
        Ok(aws_sdk_sns::Client::from_conf(
            config.interceptor(UpstreamMetrics).build(),
        ))
    }

    /// For e-mails, with credentials as [`Setup::user_pool_admin`]. Reads `SES_REGION`, that of the SES identity.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn ses(&self) -> config::Result<aws_sdk_sesv2::Client> {
        let config = aws_sdk_sesv2::config::Builder::from(&self.signed_within(MESSAGE_TIMEOUT)?)
            .region(Region::new(self.env.required("SES_REGION")?));
        Ok(aws_sdk_sesv2::Client::from_conf(
            config.interceptor(UpstreamMetrics).build(),
        ))
    }

    fn signed_within(&self, limit: Duration) -> config::Result<SdkConfig> {
        let timeouts = TimeoutConfig::builder().operation_timeout(limit).build();
        Ok(self
            .signed()?
            .into_builder()
            .timeout_config(timeouts)
            .build())
    }

    fn signed(&self) -> config::Result<SdkConfig> {
        let credentials = match self.sdk.credentials_provider() {
            Some(credentials) => credentials,
            None => credentials(self)?,
        };
        let sdk = self.sdk.to_builder().credentials_provider(credentials);
        Ok(sdk.build())
    }
}

/// Lambda's, from the environment.
#[cfg(not(debug_assertions))]
fn credentials(setup: &Setup<'_>) -> config::Result<SharedCredentialsProvider> {
    use aws_config::environment::EnvironmentVariableCredentialsProvider;

    // Checked here: the provider would fail only in the first request.
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        setup.env.required(variable)?;
    }
    let provider = EnvironmentVariableCredentialsProvider::new();
    Ok(SharedCredentialsProvider::new(provider))
}

/// A developer's credentials, found as the AWS CLI finds them. SSO and credential processes need the feature
/// `developer-credentials`.
#[cfg(debug_assertions)]
fn credentials(setup: &Setup<'_>) -> config::Result<SharedCredentialsProvider> {
    use aws_config::default_provider::credentials::DefaultCredentialsChain;
    use aws_config::provider_config::ProviderConfig;
    use aws_credential_types::provider::{ProvideCredentials, future};

    /// The chain. It is made with the first request, because making it is asynchronous.
    #[derive(Debug)]
    struct DefaultChain(ProviderConfig);

    impl ProvideCredentials for DefaultChain {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let chain = DefaultCredentialsChain::builder().configure(self.0.clone());
            future::ProvideCredentials::new(async move {
                chain.build().await.provide_credentials().await
            })
        }
    }

    let mut config = ProviderConfig::without_region().with_region(setup.sdk.region().cloned());
    if let Some(http_client) = setup.sdk.http_client() {
        config = config.with_http_client(http_client);
    }
    Ok(SharedCredentialsProvider::new(DefaultChain(config)))
}

/// The user pool for operations that need no IAM permission.
#[derive(Debug)]
pub struct UserPool {
    /// The SDK's client.
    pub cognito: Client,
    /// The pool client's id.
    pub client_id: String,
}

/// The user pool for operations that need IAM permission. Callers did not ask for them, so their errors are always
/// internal or unavailable.
#[derive(Debug)]
pub struct UserPoolAdmin(Client);

impl UserPoolAdmin {
    /// Adds the user to the role's group; a second time changes nothing.
    ///
    /// # Errors
    /// Internal or unavailable, after three attempts.
    pub async fn add_to_group(&self, user_pool_id: &str, username: &str, role: &str) -> Result<()> {
        self.0
            .admin_add_user_to_group()
            .user_pool_id(user_pool_id)
            .username(username)
            .group_name(role)
            .customize()
            .config_override(repeatable_within(ADMIN_ATTEMPT_TIMEOUT).retry_classifier(NotYetThere))
            .send()
            .await
            .map_err(from_dependency)?;
        Ok(())
    }

    /// Ends every session of the user; a second time changes nothing.
    ///
    /// # Errors
    /// Internal or unavailable, after three attempts.
    pub async fn sign_out(&self, user_pool_id: &str, username: &str) -> Result<()> {
        self.0
            .admin_user_global_sign_out()
            .user_pool_id(user_pool_id)
            .username(username)
            .customize()
            .config_override(repeatable_within(ADMIN_ATTEMPT_TIMEOUT))
            .send()
            .await
            .map_err(from_dependency)?;
        Ok(())
    }
}

/// Retries errors that Cognito can answer about a user that `SignUp` has just made.
#[derive(Debug)]
struct NotYetThere;

impl ClassifyRetry for NotYetThere {
    fn name(&self) -> &'static str {
        "NotYetThere"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(|outcome| outcome.err());
        let error = error.and_then(|error| error.as_operation_error());
        let error = error.and_then(|error| error.downcast_ref::<AdminAddUserToGroupError>());
        match error.and_then(AdminAddUserToGroupError::code) {
            Some("ConcurrentModificationException" | "UserNotFoundException") => {
                RetryAction::transient_error()
            }
            _ => RetryAction::NoActionIndicated,
        }
    }
}

fn cognito(sdk: &SdkConfig) -> Client {
    Client::from_conf(Builder::from(sdk).interceptor(UpstreamMetrics).build())
}

/// The SDK's standard retries, with jitter, for an operation that is harmless to retry. All others are sent once: a
/// retry's error would hide that the first attempt succeeded.
pub fn repeatable() -> Builder {
    repeatable_within(ATTEMPT_TIMEOUT)
}

/// The time limit of an operation that follows one of up to 12 s, so that the function can answer for both.
pub fn second() -> Builder {
    let timeouts = timeouts().operation_timeout(SECOND_OPERATION_TIMEOUT);
    Config::builder().timeout_config(timeouts.build())
}

/// As [`repeatable`], for attempts of another length. The two pauses between three attempts take at most
/// half an attempt together. So all attempts end within three and a half, or within the operation's time.
fn repeatable_within(attempt: Duration) -> Builder {
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

fn timeouts() -> TimeoutConfigBuilder {
    TimeoutConfig::builder().operation_timeout(OPERATION_TIMEOUT)
}

/// Whether the request was never sent, because there was no connection.
pub fn was_not_sent<E>(error: &SdkError<E>) -> bool {
    let SdkError::DispatchFailure(failure) = error else {
        return matches!(error, SdkError::ConstructionFailure(_));
    };
    let source = failure.as_connector_error().and_then(StdError::source);
    source
        .and_then(|source| source.downcast_ref::<hyper_util::client::legacy::Error>())
        .is_some_and(hyper_util::client::legacy::Error::is_connect)
}
