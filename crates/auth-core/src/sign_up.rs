//! Sign-up: the pool's user, then the role's group.

use std::time::Duration;

use aws_sdk_cognitoidentityprovider::types::AttributeType;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::clients::{self, UserPool};
use crate::config::{ConfigError, Env, Mode};
use crate::error::{Error, Result};
use crate::request::Fields;
use crate::roles::{ROLE_ATTRIBUTE, SignUpRules};
use crate::username::Username;

/// What a sign-up is judged by.
#[derive(Debug)]
pub struct Rules {
    mode: Mode,
    roles: SignUpRules,
}

impl Rules {
    /// Reads `MODE` and the lists of [`SignUpRules::from_env`].
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(env: Env<'_>) -> std::result::Result<Self, ConfigError> {
        Ok(Self {
            mode: env.parsed("MODE")?,
            roles: SignUpRules::from_env(env)?,
        })
    }
}

/// A sign-up that the rules allow.
#[derive(Debug)]
pub struct Request {
    username: Username,
    password: SecretString,
    role: String,
}

impl Request {
    /// Reads `username`, `password` (in `UserPassword` mode; ignored in `Passwordless`) and
    /// `userAttributes.role`.
    ///
    /// # Errors
    /// A missing or bad field; `InvalidParameterException` for a role or phone number that the rules refuse.
    pub fn parse(fields: &Fields<'_>, rules: &Rules) -> Result<Self> {
        let (username, password) = match rules.mode {
            Mode::UserPassword => (fields.username()?, fields.secret("password")?),
            Mode::Passwordless => (fields.username()?.phone()?, random_password()?),
        };
        let role = role(fields)?;
        rules.roles.check_role(&role, username.kind())?;
        if username.is_phone() {
            rules.roles.check_phone(username.as_str())?;
        }
        Ok(Self {
            username,
            password,
            role,
        })
    }
}

fn role(fields: &Fields<'_>) -> Result<String> {
    let missing = || Error::invalid_parameter("userAttributes.role is required.");
    let attributes = fields.object("userAttributes")?.ok_or_else(missing)?;
    attributes
        .string("role")
        .map_err(|error| match &*error.name {
            "MissingRequiredParameter" => missing(),
            _ => error,
        })
}

/// A password nobody knows: 256 random bits in hexadecimal, and every class of character that a policy
/// can ask for, at a length (100) that the longest policy (98) accepts.
fn random_password() -> Result<SecretString> {
    let mut bits = [0u8; 32];
    getrandom::fill(&mut bits)
        .map_err(|_| Error::internal("the operating system's random generator fails"))?;
    let mut password = bits
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    password.push_str(&"aA1!".repeat(9));
    Ok(password.into())
}

/// The user that was made.
#[derive(Debug, Serialize)]
pub struct Response {
    id: String,
    username: String,
    #[serde(rename = "userAttributes")]
    user_attributes: UserAttributes,
}

#[derive(Debug, Serialize)]
struct UserAttributes {
    role: String,
}

/// Makes the user and adds the role's group.
///
/// A group that can't be added is the log's affair where the confirmation is still to come, as the
/// post-confirmation trigger adds it then.
///
/// # Errors
/// Cognito's refusals; unavailable where the group can't be added and no confirmation would heal it.
pub async fn sign_up(pool: &UserPool, user_pool_id: &str, request: Request) -> Result<Response> {
    let Request {
        username,
        password,
        role,
    } = request;
    let user = pool
        .cognito
        .sign_up()
        .client_id(&pool.client_id)
        .username(username.as_str())
        .password(password.expose_secret())
        .user_attributes(attribute(username.kind().attribute(), username.as_str())?)
        .user_attributes(attribute(ROLE_ATTRIBUTE, &role)?)
        .send()
        .await?;
    if let Err(error) = add_to_group(&pool.cognito, user_pool_id, &user.user_sub, &role).await {
        let cause = error.cause.unwrap_or_else(|| error.name.into_owned());
        if user.user_confirmed {
            return Err(Error::unavailable(format!(
                "the group of a confirmed user was not added: {cause}"
            )));
        }
        tracing::error!(
            cause,
            "the group was not added; the post-confirmation trigger will"
        );
    }
    Ok(Response {
        id: user.user_sub,
        username: username.to_string(),
        user_attributes: UserAttributes { role },
    })
}

/// Adds the user to the role's group; a second time changes nothing. Used by the post-confirmation trigger too.
///
/// # Errors
/// As Cognito's, after the standard retries.
pub async fn add_to_group(
    cognito: &aws_sdk_cognitoidentityprovider::Client,
    user_pool_id: &str,
    username: &str,
    role: &str,
) -> Result<()> {
    cognito
        .admin_add_user_to_group()
        .user_pool_id(user_pool_id)
        .username(username)
        .group_name(role)
        .customize()
        .config_override(clients::repeatable_within(GROUP_ATTEMPT_TIMEOUT))
        .send()
        .await?;
    Ok(())
}

/// Three attempts end well before what calls [`add_to_group`] does: Cognito gives a trigger 5 s.
const GROUP_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1200);

fn attribute(name: &str, value: &str) -> Result<AttributeType> {
    AttributeType::builder()
        .name(name)
        .value(value)
        .build()
        .map_err(|_| Error::internal("an attribute without a name"))
}
