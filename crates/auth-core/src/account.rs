//! The signed-in user's account and roles.

use aws_sdk_cognitoidentityprovider::operation::get_user::GetUserOutput;
use serde::Serialize;

use crate::access_token::{AccessToken, Users, attribute};
use crate::clients::Setup;
use crate::config::{self, Mode};
use crate::error::Result;
use crate::request::Fields;
use crate::roles::ROLE_ATTRIBUTE;
use crate::route::{Bearer, Route};
use crate::username::UsernameKind;

/// `POST /auth/account`.
#[derive(Debug)]
pub struct Account {
    users: Users,
    mode: Mode,
}

/// The account as its owner sees it. Missing attributes are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    id: String,
    username: String,
    user_attributes: UserAttributes,
    roles: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserAttributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number_verified: Option<bool>,
}

impl Route for Account {
    const NAME: &'static str = "account";
    type Caller = Bearer;
    type Request = AccessToken;
    type Response = Response;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        Ok(Self {
            users: Users::new(setup)?,
            mode: setup.env.parsed("MODE")?,
        })
    }

    fn parse(&self, Bearer(token): Bearer, _: &Fields<'_>) -> Result<AccessToken> {
        self.users.check(token)
    }

    async fn run(&self, token: AccessToken) -> Result<Response> {
        let user = self.users.get(&token).await?;
        Ok(self.response(&user, token.claims.groups))
    }
}

impl Account {
    fn response(&self, user: &GetUserOutput, roles: Vec<String>) -> Response {
        let attribute = |name: &str| attribute(user, name).map(str::to_owned);
        let contact = |kind: UsernameKind| attribute(kind.attribute());
        let verified = |kind: UsernameKind| {
            let name = format!("{}_verified", kind.attribute());
            contact(kind)?;
            Some(attribute(&name).is_some_and(|value| value == "true"))
        };
        let (email, phone) = (contact(UsernameKind::Email), contact(UsernameKind::Phone));
        // Users sign in with either; by default with the one that the mode is for.
        let username = match self.mode {
            Mode::UserPassword => email.as_ref().or(phone.as_ref()),
            Mode::Passwordless => phone.as_ref().or(email.as_ref()),
        };
        Response {
            id: attribute("sub").unwrap_or_else(|| user.username().to_owned()),
            username: username.map_or(user.username(), String::as_str).to_owned(),
            roles,
            user_attributes: UserAttributes {
                role: attribute(ROLE_ATTRIBUTE),
                email_verified: verified(UsernameKind::Email),
                phone_number_verified: verified(UsernameKind::Phone),
                email,
                phone_number: phone,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, Reply, SUB, access_token};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{route, run_as};

    /// The account of a user with these attributes.
    async fn account(mode: &str, attributes: &[(&str, &str)]) -> Value {
        let attributes: Vec<Value> = attributes
            .iter()
            .map(|(name, value)| json!({ "Name": name, "Value": value }))
            .collect();
        let user = json!({ "Username": "a-name", "UserAttributes": attributes });
        let aws = FakeAws::with("GetUser", Reply::json(200, &user));
        let token = access_token(&json!({ "cognito:groups": ["User", "Editor"] }));
        let route = route::<Account>(&aws, &[("MODE", mode)]);
        run_as(&route, &token, &json!({})).await.unwrap()
    }

    #[tokio::test]
    async fn the_account_has_what_the_user_has() {
        let response = account(
            "UserPassword",
            &[
                ("sub", SUB),
                ("email", "user@example.com"),
                ("email_verified", "true"),
                ("phone_number", "+34999999999"),
                ("phone_number_verified", "false"),
                ("custom:role", "User"),
            ],
        )
        .await;
        assert_eq!(
            response,
            json!({
                "id": SUB,
                "username": "user@example.com",
                "userAttributes": {
                    "role": "User",
                    "email": "user@example.com",
                    "emailVerified": true,
                    "phoneNumber": "+34999999999",
                    "phoneNumberVerified": false,
                },
                "roles": ["User", "Editor"],
            })
        );
    }

    #[tokio::test]
    async fn what_the_user_does_not_have_is_left_out() {
        let response = account("UserPassword", &[("sub", SUB)]).await;
        assert_eq!(
            response,
            json!({ "id": SUB, "username": "a-name", "userAttributes": {}, "roles": ["User", "Editor"] })
        );
    }

    #[tokio::test]
    async fn the_username_is_the_one_that_the_mode_is_for() {
        let both = [
            ("email", "user@example.com"),
            ("phone_number", "+34999999999"),
        ];
        for (mode, attributes, username) in [
            ("UserPassword", &both[..], "user@example.com"),
            ("UserPassword", &both[1..], "+34999999999"),
            ("Passwordless", &both, "+34999999999"),
            ("Passwordless", &both[..1], "user@example.com"),
        ] {
            let response = account(mode, attributes).await;
            assert_eq!(response["username"], username, "{mode}");
        }
    }
}
