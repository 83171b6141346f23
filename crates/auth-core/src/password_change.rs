//! A new password, by the code of a reset.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::{Setup, UserPool};
use crate::config;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
use crate::route::{Anyone, Route};
use crate::username::Username;

/// `POST /auth/password/change`.
#[derive(Debug)]
pub struct PasswordChange(UserPool);

/// A user, the new password and the code that allows it.
#[derive(Debug)]
pub struct Request {
    username: Username,
    password: SecretString,
    confirmation_code: SecretString,
}

impl Route for PasswordChange {
    const NAME: &'static str = "password-change";
    type Caller = Anyone;
    type Request = Request;
    type Response = Message;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        setup.user_pool().map(Self)
    }

    fn parse(&self, _: Anyone, fields: &Fields<'_>) -> Result<Request> {
        Ok(Request {
            username: fields.username()?,
            password: fields.secret("password")?,
            confirmation_code: fields.code("confirmationCode")?,
        })
    }

    async fn run(&self, request: Request) -> Result<Message> {
        let Request {
            username,
            password,
            confirmation_code,
        } = request;
        self.0
            .cognito
            .confirm_forgot_password()
            .client_id(&self.0.client_id)
            .username(username.as_str())
            .password(password.expose_secret())
            .confirmation_code(confirmation_code.expose_secret())
            .send()
            .await?;
        Ok(Message::new("Your password has been successfully changed."))
    }
}
