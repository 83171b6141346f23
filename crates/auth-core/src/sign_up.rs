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
use crate::telemetry::{self, Metric};
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
#[derive(Serialize)]
pub struct Response {
    id: String,
    username: String,
    #[serde(rename = "userAttributes")]
    user_attributes: UserAttributes,
}

#[derive(Serialize)]
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
    telemetry::count(Metric::SignUps);
    if !user.user_confirmed {
        telemetry::count(Metric::CodesSent);
    }
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
/// Ours or unavailable, after the standard retries: never the caller's affair.
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
        .await
        .map_err(Error::from_dependency)?;
    Ok(())
}

/// Three attempts end within 4.2 s, before what calls [`add_to_group`] does: Cognito gives a trigger 5 s.
const GROUP_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1200);

fn attribute(name: &str, value: &str) -> Result<AttributeType> {
    AttributeType::builder()
        .name(name)
        .value(value)
        .build()
        .map_err(|_| Error::internal("an attribute without a name"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::Client;
    use aws_sdk_cognitoidentityprovider::operation::admin_add_user_to_group::AdminAddUserToGroupInput;
    use aws_sdk_cognitoidentityprovider::operation::sign_up::SignUpInput;
    use aws_smithy_mocks::{Rule, mock};
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{
        Says, answer, assert_required, env, exception, log, lost_answer, parsed, pool, seen,
    };

    fn rules(mode: &str) -> Rules {
        Rules::from_env(Env::new(&env(&[
            ("MODE", mode),
            ("ROLES", "User,Driver,Admin"),
            ("EMAIL_SIGN_UP_ROLES", "User"),
            ("PHONE_SIGN_UP_ROLES", "Driver"),
            ("ALLOWED_PHONE_PREFIXES", "+34"),
        ])))
        .unwrap()
    }

    fn body(username: &str, role: &str) -> Value {
        json!({ "username": username, "password": " pass word ", "userAttributes": { "role": role } })
    }

    fn request(mode: &str, body: &Value) -> Result<Request> {
        parsed(body, |fields| Request::parse(fields, &rules(mode)))
    }

    /// A user of Cognito's whose `sub` is `the-sub`.
    fn made(
        confirmed: bool,
    ) -> impl Fn() -> aws_sdk_cognitoidentityprovider::config::http::HttpResponse {
        move || {
            answer(
                200,
                &json!({ "UserConfirmed": confirmed, "UserSub": "the-sub" }).to_string(),
            )
        }
    }

    fn group_added() -> Rule {
        mock!(Client::admin_add_user_to_group).then_http_response(|| answer(200, "{}"))
    }

    async fn ask(cognito: [&Rule; 2]) -> Result<Value> {
        let request = request("UserPassword", &body("user@example.com", "User"))?;
        let response = sign_up(&pool(cognito), "us-east-1_pool", request).await;
        response.map(seen)
    }

    #[tokio::test]
    async fn cognito_is_given_the_user_with_the_role_and_then_the_group_and_no_more() {
        for (username, attribute_name, role) in [
            ("user@example.com", "email", "User"),
            ("+34999999999", "phone_number", "Driver"),
        ] {
            let user = SignUpInput::builder()
                .client_id("client")
                .username(username)
                .password(" pass word ")
                .user_attributes(attribute(attribute_name, username).unwrap())
                .user_attributes(attribute("custom:role", role).unwrap())
                .build()
                .unwrap();
            let group = AdminAddUserToGroupInput::builder()
                .user_pool_id("us-east-1_pool")
                .username("the-sub")
                .group_name(role)
                .build()
                .unwrap();
            let user = mock!(Client::sign_up)
                .match_requests(move |input| *input == user)
                .then_http_response(made(false));
            let group = mock!(Client::admin_add_user_to_group)
                .match_requests(move |input| *input == group)
                .then_http_response(|| answer(200, "{}"));
            let request = request("UserPassword", &body(username, role)).unwrap();
            let response = sign_up(&pool([&user, &group]), "us-east-1_pool", request).await;
            assert_eq!(
                response.map(seen).unwrap(),
                json!({ "id": "the-sub", "username": username, "userAttributes": { "role": role } })
            );
            assert_eq!((user.num_calls(), group.num_calls()), (1, 1));
        }
    }

    #[tokio::test]
    async fn nothing_of_the_request_but_the_documented_fields_gets_to_cognito() {
        let mut body = body("user@example.com", "User");
        body["validationData"] = json!({ "a": "b" });
        body["userAttributes"]["email"] = json!("other@example.com");
        body["userAttributes"]["custom:role"] = json!("Admin");
        let user = mock!(Client::sign_up)
            .match_requests(|sent| {
                let expected = [
                    attribute("email", "user@example.com").unwrap(),
                    attribute("custom:role", "User").unwrap(),
                ];
                sent.user_attributes() == expected
                    && sent.validation_data().is_empty()
                    && sent.client_metadata().is_none()
            })
            .then_http_response(made(false));
        let request = request("UserPassword", &body).unwrap();
        let response = sign_up(&pool([&user, &group_added()]), "us-east-1_pool", request).await;
        assert_eq!(
            response.map(seen).unwrap()["userAttributes"]["role"],
            "User"
        );
    }

    #[tokio::test]
    async fn a_passwordless_user_gets_a_password_that_nobody_knows_and_every_policy_takes() {
        let mut passwords = Vec::new();
        for _ in 0..2 {
            let mut body = body("+34999999999", "Driver");
            body["password"] = json!("ignored");
            let request = request("Passwordless", &body).unwrap();
            passwords.push(request.password.expose_secret().to_owned());
        }
        assert_ne!(passwords[0], passwords[1]);
        for password in passwords {
            let classes: [fn(char) -> bool; 4] = [
                |c| c.is_ascii_lowercase(),
                |c| c.is_ascii_uppercase(),
                |c| c.is_ascii_digit(),
                |c| c.is_ascii_punctuation(),
            ];
            assert!(classes.iter().all(|class| password.contains(*class)));
            assert_eq!(password.len(), 100, "the longest minimum is 98");
            assert!(!password.contains("ignored"));
        }
    }

    #[tokio::test]
    async fn a_user_that_cognito_refuses_is_added_to_no_group() {
        let user = mock!(Client::sign_up).then_http_response(|| {
            exception(
                "UsernameExistsException",
                "An account with the given email already exists.",
            )
        });
        let group = group_added();
        let error = ask([&user, &group]).await.unwrap_err();
        assert_eq!(
            (error.kind, &*error.name, &*error.message),
            (
                Kind::Conflict,
                "UsernameExistsException",
                "An account with the given email already exists."
            )
        );
        assert_eq!((user.num_calls(), group.num_calls()), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_up_that_may_have_been_heard_is_not_repeated_and_so_never_meets_itself() {
        for (why, first) in [
            ("a failure", (|| answer(500, "{}")) as Says),
            ("no exception", || answer(502, "<html></html>")),
            ("a lost answer", lost_answer),
            ("too many requests", || {
                exception("TooManyRequestsException", "Too many requests")
            }),
        ] {
            let user = mock!(Client::sign_up)
                .sequence()
                .http_response(first)
                .http_response(|| exception("UsernameExistsException", "It was us."))
                .build();
            let group = group_added();
            let error = ask([&user, &group]).await.unwrap_err();
            assert!(
                matches!(error.kind, Kind::Unavailable | Kind::Throttled),
                "{why}: {}",
                error.name
            );
            assert_eq!((user.num_calls(), group.num_calls()), (1, 0), "{why}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_that_can_not_be_added_is_healed_by_the_confirmation_or_the_callers_affair() {
        let failures: [(&str, Says, usize, &str); 4] = [
            (
                "failing",
                || answer(500, r#"{"__type":"InternalErrorException","message":"no"}"#),
                3,
                "InternalErrorException",
            ),
            ("lost", lost_answer, 3, "response"),
            (
                "no group",
                || exception("ResourceNotFoundException", "Group not found."),
                1,
                "ResourceNotFoundException: Group not found.",
            ),
            (
                "no permission",
                || exception("AccessDeniedException", "not authorized to perform"),
                1,
                "AccessDeniedException: not authorized to perform",
            ),
        ];
        for (why, failure, attempts, cause) in failures {
            for confirmed in [false, true] {
                let user = mock!(Client::sign_up).then_http_response(made(confirmed));
                let group = mock!(Client::admin_add_user_to_group).then_http_response(failure);
                let (log, _guard) = log();
                let outcome = ask([&user, &group]).await;
                assert_eq!(
                    (user.num_calls(), group.num_calls()),
                    (1, attempts),
                    "{why}"
                );
                if confirmed {
                    let error = outcome.unwrap_err();
                    assert_eq!(error.name, "ServiceUnavailableException", "{why}");
                    assert!(error.cause.unwrap().contains(cause), "{why}");
                    assert!(log.lines().is_empty(), "{why}: the boundary logs it");
                } else {
                    assert_eq!(outcome.unwrap()["id"], "the-sub", "{why}");
                    let lines = log.lines();
                    assert_eq!(lines.len(), 1, "{why}");
                    assert_eq!(lines[0]["level"], "ERROR", "{why}");
                    assert!(lines[0]["cause"].as_str().unwrap().contains(cause), "{why}");
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_that_is_added_at_a_repeat_is_added() {
        let user = mock!(Client::sign_up).then_http_response(made(true));
        let group = mock!(Client::admin_add_user_to_group)
            .sequence()
            .http_response(lost_answer)
            .http_status(500, None)
            .http_response(|| answer(200, "{}"))
            .build();
        let (log, _guard) = log();
        assert_eq!(ask([&user, &group]).await.unwrap()["id"], "the-sub");
        assert_eq!((user.num_calls(), group.num_calls()), (1, 3));
        assert!(log.lines().is_empty());
    }

    #[test]
    fn what_the_rules_refuse_is_refused_before_cognito_is_asked() {
        let no_role = "userAttributes.role is required.";
        let closed = "The role does not exist or is not open to sign-up.";
        let with = |key: &str, value: Value| {
            let mut body = body("user@example.com", "User");
            body[key] = value;
            body
        };
        for (why, body, message) in [
            (
                "no attributes",
                with("userAttributes", Value::Null),
                no_role,
            ),
            ("no role", with("userAttributes", json!({})), no_role),
            (
                "a null role",
                with("userAttributes", json!({ "role": null })),
                no_role,
            ),
            ("an empty role", body("user@example.com", ""), no_role),
            (
                "a role that is a list",
                with("userAttributes", json!({ "role": ["User"] })),
                "Expected params.Role to be a string",
            ),
            (
                "attributes that are a list",
                with("userAttributes", json!([{ "Name": "role" }])),
                "Expected params.UserAttributes to be an object",
            ),
            ("a closed role", body("user@example.com", "Admin"), closed),
            (
                "an unknown role",
                body("user@example.com", "Nobody"),
                closed,
            ),
            ("another case", body("user@example.com", "user"), closed),
            (
                "a role for phones",
                body("user@example.com", "Driver"),
                "The role does not allow sign-up with an email address.",
            ),
            (
                "a role for e-mails",
                body("+34999999999", "User"),
                "The role does not allow sign-up with a phone number.",
            ),
            (
                "a country that is not accepted",
                body("+15550001111", "Driver"),
                "Phone numbers of this country are not accepted.",
            ),
        ] {
            let error = request("UserPassword", &body).unwrap_err();
            assert_eq!(error.kind, Kind::Invalid, "{why}");
            assert_eq!(error.message, message, "{why}");
        }
        let error = request("Passwordless", &body("user@example.com", "User")).unwrap_err();
        assert_eq!(
            error.message,
            "Username should be a phone number in E.164 format, such as +34999999999."
        );
    }

    #[test]
    fn the_username_and_the_password_are_required() {
        let rules = rules("UserPassword");
        let body = json!({ "username": "user@example.com", "password": "p" });
        assert_required(&body, |fields| Request::parse(fields, &rules));
    }
}
