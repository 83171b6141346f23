//! Sign-up: the pool's user, then the role's group.

use aws_sdk_cognitoidentityprovider::types::AttributeType;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::clients::{Setup, UserPool, UserPoolAdmin};
use crate::config::{self, Mode};
use crate::error::{Error, Name, Result};
use crate::request::Fields;
use crate::roles::{ROLE_ATTRIBUTE, SignUpRules};
use crate::route::{Anyone, Route};
use crate::telemetry::{self, Metric};
use crate::username::{Username, UsernameKinds};

/// `POST /auth/sign-up`.
#[derive(Debug)]
pub struct SignUp {
    pool: UserPool,
    admin: UserPoolAdmin,
    user_pool_id: String,
    mode: Mode,
    kinds: UsernameKinds,
    rules: SignUpRules,
}

/// A sign-up that the rules allow.
#[derive(Debug)]
pub struct Request {
    username: Username,
    password: SecretString,
    role: String,
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

impl Route for SignUp {
    const NAME: &'static str = "sign-up";
    type Caller = Anyone;
    type Request = Request;
    type Response = Response;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        Ok(Self {
            pool: setup.user_pool()?,
            admin: setup.user_pool_admin()?,
            user_pool_id: setup.env.required("USER_POOL_ID")?,
            mode: setup.env.parsed("MODE")?,
            kinds: UsernameKinds::from_env(setup.env)?,
            rules: SignUpRules::from_env(setup.env)?,
        })
    }

    fn parse(&self, _: Anyone, fields: &Fields<'_>) -> Result<Request> {
        let username = self.kinds.check(fields.username()?)?;
        let password = match self.mode {
            Mode::UserPassword => fields.secret("password")?,
            // A `password` in the request is ignored.
            Mode::Passwordless => random_password()?,
        };
        let role = role(fields)?;
        self.rules.check_role(&role, username.kind())?;
        if username.is_phone() {
            self.rules.check_phone(username.as_str())?;
        }
        Ok(Request {
            username,
            password,
            role,
        })
    }

    /// If the group can't be added while the confirmation is still to come, that is only logged: the
    /// post-confirmation trigger adds the group again.
    async fn run(&self, request: Request) -> Result<Response> {
        let Request {
            username,
            password,
            role,
        } = request;
        let user = self
            .pool
            .cognito
            .sign_up()
            .client_id(&self.pool.client_id)
            .username(username.as_str())
            .password(password.expose_secret())
            .user_attributes(attribute(username.kind().attribute(), username.as_str())?)
            .user_attributes(attribute(ROLE_ATTRIBUTE, &role)?)
            .send()
            .await?;
        // The SDK fills in missing values of a response.
        if user.user_sub.is_empty() {
            return Err(Error::unavailable("Cognito's response has no user"));
        }
        telemetry::count(Metric::SignUps);
        if !user.user_confirmed {
            telemetry::count(Metric::CodesSent);
        }
        let added = self
            .admin
            .add_to_group(&self.user_pool_id, &user.user_sub, &role)
            .await;
        if let Err(error) = added {
            let cause = error.cause.unwrap_or_else(|| error.name.to_string());
            if user.user_confirmed {
                let cause = format!("the group of a confirmed user was not added: {cause}");
                return Err(Error {
                    cause: Some(cause),
                    ..error
                });
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
}

fn role(fields: &Fields<'_>) -> Result<String> {
    let missing = || Error::invalid_parameter("userAttributes.role is required.");
    let attributes = fields.object("userAttributes")?.ok_or_else(missing)?;
    attributes.string("role").map_err(|error| {
        match error.name == Name::MissingRequiredParameter.as_str() {
            true => missing(),
            false => error,
        }
    })
}

/// A password that is never shown: 256 random bits in hexadecimal, and every class of character that a policy
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

fn attribute(name: &str, value: &str) -> Result<AttributeType> {
    AttributeType::builder()
        .name(name)
        .value(value)
        .build()
        .map_err(|_| Error::internal("an attribute without a name"))
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, Reply, SUB};
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{Changes, log, parse, route, run};

    const RULES: Changes<'_> = &[
        ("ROLES", "User,Driver,Admin"),
        ("EMAIL_SIGN_UP_ROLES", "User"),
        ("PHONE_SIGN_UP_ROLES", "Driver"),
        ("ALLOWED_PHONE_PREFIXES", "+34"),
    ];

    fn sign_up_over(aws: &FakeAws, mode: &str) -> SignUp {
        route(aws, &[RULES, &[("MODE", mode)]].concat())
    }

    fn body(username: &str, role: &str) -> Value {
        json!({ "username": username, "password": " pass word ", "userAttributes": { "role": role } })
    }

    async fn run_over(aws: &FakeAws) -> Result<Value> {
        let route = sign_up_over(aws, "UserPassword");
        run(&route, &body("user@example.com", "User")).await
    }

    /// Cognito's answer, of which the group's is another.
    fn aws(confirmed: bool, group: Vec<Reply>) -> FakeAws {
        let user = Reply::json(200, &json!({ "UserConfirmed": confirmed, "UserSub": SUB }));
        let group = FakeAws::in_turn("AdminAddUserToGroup", group);
        FakeAws::new(move |call| match &*call.operation {
            "SignUp" => Some(user.clone()),
            _ => group.reply(call),
        })
    }

    #[tokio::test]
    async fn cognito_gets_nothing_but_the_documented_fields() {
        let aws = FakeAws::default();
        let mut body = body("user@example.com", "User");
        body["validationData"] = json!({ "a": "b" });
        body["userAttributes"]["email"] = json!("other@example.com");
        body["userAttributes"]["custom:role"] = json!("Admin");
        let route = sign_up_over(&aws, "UserPassword");
        run(&route, &body).await.unwrap();
        let user = json!({
            "ClientId": "client",
            "Username": "user@example.com",
            "Password": " pass word ",
            "UserAttributes": [
                { "Name": "email", "Value": "user@example.com" },
                { "Name": "custom:role", "Value": "User" },
            ],
        });
        assert_eq!(aws.bodies("SignUp"), [user]);
    }

    #[test]
    fn a_passwordless_user_gets_a_password_that_nobody_knows() {
        let route = sign_up_over(&FakeAws::default(), "Passwordless");
        let mut body = body("+34999999999", "Driver");
        body["password"] = json!("ignored");
        let [first, second] = [(); 2].map(|()| parse(&route, &body).unwrap().password);
        assert_ne!(first.expose_secret(), second.expose_secret());
        for password in [first, second] {
            let password = password.expose_secret();
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

    #[tokio::test(start_paused = true)]
    async fn a_group_that_can_not_be_added_waits_for_the_confirmation() {
        let exception = |status, name, attempts| {
            let body = json!({ "__type": name, "message": "no" });
            (Reply::json(status, &body), attempts, name)
        };
        for (reply, attempts, cause) in [
            (Reply::lost(), 3, "response"),
            exception(500, "InternalErrorException", 3),
            // Cognito does not know its new user yet.
            exception(400, "UserNotFoundException", 3),
            exception(400, "ConcurrentModificationException", 3),
            exception(400, "ResourceNotFoundException", 1),
            exception(400, "AccessDeniedException", 1),
        ] {
            for confirmed in [false, true] {
                let aws = aws(confirmed, vec![reply.clone()]);
                let (log, _guard) = log();
                let outcome = run_over(&aws).await;
                assert_eq!(aws.calls().len(), 1 + attempts, "{cause}");
                if confirmed {
                    // No confirmation would add it, and the boundary logs it.
                    let error = outcome.unwrap_err();
                    let kind = match attempts {
                        1 => Kind::Internal,
                        _ => Kind::Unavailable,
                    };
                    assert_eq!(error.kind, kind, "{cause}");
                    assert!(error.cause.unwrap().contains(cause), "{cause}");
                    assert!(log.lines().is_empty(), "{cause}");
                } else {
                    assert_eq!(outcome.unwrap()["id"], SUB, "{cause}");
                    let lines = log.lines();
                    assert_eq!(lines.len(), 1, "{cause}");
                    assert_eq!(lines[0]["level"], "ERROR", "{cause}");
                    assert!(lines[0]["cause"].as_str().unwrap().contains(cause));
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_adds_the_group() {
        let replies = [Reply::lost(), Reply::text(500, ""), Reply::text(200, "{}")];
        let aws = aws(true, replies.to_vec());
        let (log, _guard) = log();
        assert_eq!(run_over(&aws).await.unwrap()["id"], SUB);
        assert_eq!(aws.calls().len(), 4);
        assert!(log.lines().is_empty());
    }

    #[test]
    fn what_the_rules_reject_is_rejected_without_a_call() {
        let route = sign_up_over(&FakeAws::default(), "UserPassword");
        let no_role = "userAttributes.role is required.";
        let closed = "The role does not exist or is not open to sign-up.";
        let with = |attributes: Value| {
            let mut body = body("user@example.com", "User");
            body["userAttributes"] = attributes;
            body
        };
        for (body, message) in [
            (with(Value::Null), no_role),
            (with(json!({})), no_role),
            (with(json!({ "role": null })), no_role),
            (with(json!({ "role": "" })), no_role),
            (
                with(json!({ "role": ["User"] })),
                "Expected params.Role to be a string",
            ),
            (
                with(json!([])),
                "Expected params.UserAttributes to be an object",
            ),
            (body("user@example.com", "Admin"), closed),
            (
                body("+34999999999", "User"),
                "The role does not allow sign-up with a phone number.",
            ),
            (
                body("+15550001111", "Driver"),
                "Phone numbers of this country are not accepted.",
            ),
        ] {
            let error = parse(&route, &body).unwrap_err();
            assert_eq!(error.kind, Kind::Invalid, "{body}");
            assert_eq!(error.message, message, "{body}");
        }
    }
}
