//! Confirmation of a sign-up with the code that was sent.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::{Setup, UserPool};
use crate::config;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
use crate::route::{Anyone, Route};
use crate::username::Username;

/// `POST /auth/sign-up/confirm`.
#[derive(Debug)]
pub struct SignUpConfirm(UserPool);

/// A user and the code that confirms them.
#[derive(Debug)]
pub struct Request {
    username: Username,
    confirmation_code: SecretString,
}

impl Route for SignUpConfirm {
    const NAME: &'static str = "sign-up-confirm";
    type Caller = Anyone;
    type Request = Request;
    type Response = Message;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        setup.user_pool().map(Self)
    }

    fn parse(&self, _: Anyone, fields: &Fields<'_>) -> Result<Request> {
        Ok(Request {
            username: fields.username()?,
            confirmation_code: fields.code("confirmationCode")?,
        })
    }

    async fn run(&self, request: Request) -> Result<Message> {
        let Request {
            username,
            confirmation_code,
        } = request;
        self.0
            .cognito
            .confirm_sign_up()
            .client_id(&self.0.client_id)
            .username(username.as_str())
            .confirmation_code(confirmation_code.expose_secret())
            .send()
            .await?;
        Ok(Message::new(format!(
            "The username: {username} has been confirmed."
        )))
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::FakeAws;
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Error;
    use crate::testing::{assert_error, assert_required, parse, route, run};
    use crate::trigger_error;

    fn body(username: &str) -> Value {
        json!({ "username": username, "confirmationCode": "012345" })
    }

    #[tokio::test]
    async fn cognito_gets_the_code_with_its_leading_zero_and_no_more() {
        for username in ["user@example.com", "+34999999999"] {
            let aws = FakeAws::default();
            let response = run(&route::<SignUpConfirm>(&aws, &[]), &body(username)).await;
            let message = format!("The username: {username} has been confirmed.");
            assert_eq!(response.unwrap(), json!({ "message": message }));
            assert_eq!(
                aws.bodies("ConfirmSignUp"),
                [
                    json!({ "ClientId": "client", "Username": username, "ConfirmationCode": "012345" })
                ]
            );
        }
    }

    #[tokio::test]
    async fn post_confirmation_failure_is_not_reported_as_caller_error() {
        for failure in [Error::unavailable("why"), Error::internal("why")] {
            let report = format!(
                "PostConfirmation failed with error {}.",
                trigger_error::encode(&failure)
            );
            let aws = FakeAws::failing("ConfirmSignUp", "UserLambdaValidationException", report);
            let route = route::<SignUpConfirm>(&aws, &[]);
            let error = run(&route, &body("user@example.com")).await.unwrap_err();
            assert_eq!(error.kind, failure.kind);
        }
    }

    #[test]
    fn each_field_is_required() {
        let route = route::<SignUpConfirm>(&FakeAws::default(), &[]);
        assert_required(&route, &body("user@example.com"));
    }

    #[test]
    fn a_code_that_is_a_number_is_rejected_as_its_zeros_are_lost() {
        let mut body = body("user@example.com");
        body["confirmationCode"] = json!(12345);
        let route = route::<SignUpConfirm>(&FakeAws::default(), &[]);
        assert_error(
            &parse(&route, &body).unwrap_err(),
            "InvalidParameterType",
            "Expected params.ConfirmationCode to be a string",
            "a number",
        );
    }
}
