//! Reads a request body: one JSON object, with its fields by name.
//!
//! Unknown fields are skipped. A repeated key is rejected, because two readers could use different values.

use std::borrow::Cow;
use std::fmt;

use secrecy::SecretString;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, Name, Result};
use crate::username::Username;

/// The largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// The fields of a JSON object, still as they came.
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Reads a request body.
    ///
    /// # Errors
    /// `RequestEntityTooLargeException` over [`MAX_BODY_BYTES`]; `SerializationException` if it is not
    /// UTF-8, not JSON, not an object, or has a key twice.
    pub fn parse(body: &'a [u8]) -> Result<Self> {
        if body.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        serde_json::from_slice(body).map_err(|_| not_json())
    }

    /// The text of a required field; `null` and `""` count as missing.
    ///
    /// # Errors
    /// `MissingRequiredParameter`; `InvalidParameterType` if it is not a string; `SerializationException` if it has
    /// U+FFFD: API Gateway hands on every byte as that which is not UTF-8.
    pub fn string(&self, key: &str) -> Result<String> {
        self.optional(key)?.ok_or_else(|| missing(key))
    }

    /// The text of a field that may be missing, as [`Fields::string`].
    fn optional(&self, key: &str) -> Result<Option<String>> {
        let Some(value) = self.present(key) else {
            return Ok(None);
        };
        let text = serde_json::from_str::<String>(value.get());
        let text = text.map_err(|_| wrong_type(key, "a string"))?;
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(not_json());
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// Whether the field is there; `null` and `""` count as missing.
    ///
    /// # Errors
    /// `InvalidParameterType` if it is not a string.
    pub fn has(&self, key: &str) -> Result<bool> {
        Ok(self.optional(key)?.is_some())
    }

    /// A required secret, as [`Fields::string`].
    ///
    /// # Errors
    /// As [`Fields::string`].
    pub fn secret(&self, key: &str) -> Result<SecretString> {
        self.string(key).map(SecretString::from)
    }

    /// A required one-time or confirmation code, without the white space around it.
    ///
    /// # Errors
    /// As [`Fields::string`], and `InvalidParameterException` if Cognito would not read it.
    pub fn code(&self, key: &str) -> Result<SecretString> {
        opaque(key, self.trimmed(key)?)
    }

    /// A required session: text without white space or control characters, at most 2,048 bytes, which is all that
    /// Cognito takes.
    ///
    /// # Errors
    /// As [`Fields::string`], and `InvalidParameterException` if Cognito would not read it.
    pub fn session(&self, key: &str) -> Result<SecretString> {
        opaque(key, self.string(key)?)
    }

    /// A required token of Cognito's: base64url and dots; anything else gets `rejection` without a call.
    ///
    /// # Errors
    /// As [`Fields::string`], and `rejection`.
    pub fn token(&self, key: &str, rejection: impl Fn() -> Error) -> Result<SecretString> {
        let text = self.string(key)?;
        match text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"-_=.".contains(&c))
        {
            true => Ok(text.into()),
            false => Err(rejection()),
        }
    }

    /// The required `username`, of either kind, without the white space around it.
    ///
    /// # Errors
    /// As [`Fields::string`], and `InvalidParameterException` if it is neither an e-mail address nor a phone number.
    pub fn username(&self) -> Result<Username> {
        Username::parse(self.trimmed("username")?)
    }

    /// A typed value, which can't have white space or letters outside ASCII.
    fn trimmed(&self, key: &str) -> Result<String> {
        let text = self.string(key)?;
        let text = text.trim();
        match text {
            "" => Err(missing(key)),
            _ if text.is_ascii() => Ok(text.to_owned()),
            _ => Err(Error::invalid_parameter(format!(
                "{} has a character that is not ASCII, such as a full-width digit or an invisible space.",
                pascal_case(key)
            ))),
        }
    }

    /// An optional object; `null` counts as missing.
    ///
    /// # Errors
    /// `InvalidParameterType` if it is not an object.
    pub fn object(&self, key: &str) -> Result<Option<Fields<'a>>> {
        self.present(key)
            .map(|value| {
                serde_json::from_str(value.get()).map_err(|_| wrong_type(key, "an object"))
            })
            .transpose()
    }

    fn present(&self, key: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        (value.get() != "null").then_some(*value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut fields: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            if fields.iter().any(|(name, _)| *name == key) {
                return Err(serde::de::Error::custom("a key stands twice"));
            }
            fields.push((key, map.next_value()?));
        }
        Ok(Fields(fields))
    }
}

/// A key. It is borrowed from the body if it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

fn opaque(key: &str, text: String) -> Result<SecretString> {
    if text.len() > 2048 || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Error::invalid_parameter(format!(
            "{} must be at most 2048 characters without spaces.",
            pascal_case(key)
        )));
    }
    Ok(text.into())
}

fn not_json() -> Error {
    Error::new(
        Name::SerializationException,
        "The request body must be one JSON object in UTF-8, with each key once.",
    )
}

/// The refusal of a body over [`MAX_BODY_BYTES`].
pub(crate) fn too_large() -> Error {
    Error::new(
        Name::RequestEntityTooLargeException,
        format!("The request body is larger than {MAX_BODY_BYTES} bytes."),
    )
}

fn missing(key: &str) -> Error {
    Error::new(
        Name::MissingRequiredParameter,
        format!("Missing required key '{}' in params", pascal_case(key)),
    )
}

fn wrong_type(key: &str, expected: &str) -> Error {
    Error::new(
        Name::InvalidParameterType,
        format!("Expected params.{} to be {expected}", pascal_case(key)),
    )
}

/// `confirmationCode` as AWS spells it: `ConfirmationCode`.
fn pascal_case(key: &str) -> String {
    let mut letters = key.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::testing::assert_error;

    /// What reading a field of this body comes to.
    fn field<T>(body: &str, read: impl Fn(&Fields<'_>) -> Result<T>) -> Result<T> {
        read(&Fields::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn a_body_that_is_not_one_json_object_is_refused() {
        for (body, why) in [
            (&b""[..], "empty"),
            (b"username=a", "a form"),
            (b"null", "null"),
            (b"[]", "an array"),
            (b"\"text\"", "a string"),
            (b"{\"username\":\"a\"", "cut short"),
            (b"{\"username\":\"a\"} {}", "two values"),
            (b"{\"username\":\"\xff\"}", "not UTF-8"),
            (b"{\"username\":\"a\0\"}", "a control character in a string"),
            (b"{\"user\":\"a\",\"user\":\"b\"}", "a key twice"),
            (
                b"{\"user\":1,\"us\\u0065r\":2}",
                "a key twice, once escaped",
            ),
            (b"\xef\xbb\xbf{}", "a byte order mark"),
        ] {
            let error = Fields::parse(body).err().unwrap();
            assert_eq!(error.name, "SerializationException", "{why}");
        }
    }

    #[test]
    fn only_fields_that_are_read_must_be_well_formed() {
        let array = "[".repeat(8_000) + &"]".repeat(8_000);
        for ignored in [&*array, "[[[{}]]]", r#"{"role":"Admin"}"#] {
            let body = format!(r#"{{"__proto__":{ignored},"username":"a"}}"#);
            let username = field(&body, |fields| fields.string("username"));
            assert_eq!(username.unwrap(), "a");
        }
    }

    #[test]
    fn a_missing_field_null_and_the_empty_text_are_alike() {
        for body in [
            "{}",
            r#"{"confirmationCode":null}"#,
            r#"{"confirmationCode":""}"#,
            r#"{"ConfirmationCode":"1"}"#,
        ] {
            let error = field(body, |fields| fields.string("confirmationCode")).unwrap_err();
            let message = "Missing required key 'ConfirmationCode' in params";
            assert_error(&error, "MissingRequiredParameter", message, body);
        }
    }

    #[test]
    fn a_field_of_another_json_type_is_rejected() {
        for value in ["1", "1.5e3", "true", "[]", "[\"a\"]", "{}", "{\"a\":1}"] {
            let body = format!("{{\"password\":{value}}}");
            let error = field(&body, |fields| fields.string("password")).unwrap_err();
            let message = "Expected params.Password to be a string";
            assert_error(&error, "InvalidParameterType", message, value);
        }
        let body = r#"{"userAttributes":"User"}"#;
        let error = field(body, |fields| fields.object("userAttributes").map(drop)).unwrap_err();
        let message = "Expected params.UserAttributes to be an object";
        assert_error(&error, "InvalidParameterType", message, body);
    }

    #[test]
    fn a_lone_surrogate_is_refused_and_escapes_are_read() {
        let fields = br#"{"a":"\ud800","b":"\u0061\ud83d\ude80"}"#;
        let fields = Fields::parse(fields).unwrap();
        assert_eq!(fields.string("a").unwrap_err().name, "InvalidParameterType");
        assert_eq!(fields.string("b").unwrap(), "a🚀");
    }

    #[test]
    fn a_code_that_cognito_would_not_read_is_rejected() {
        for value in ["12 34", "12\\t34", "12\\u000034", &"1".repeat(2049)] {
            let body = format!("{{\"confirmationCode\":\"{value}\"}}");
            let error = field(&body, |fields| fields.code("confirmationCode")).unwrap_err();
            let message = "ConfirmationCode must be at most 2048 characters without spaces.";
            assert_error(&error, "InvalidParameterException", message, value);
        }
    }

    #[test]
    fn white_space_around_a_username_or_code_is_cut() {
        for blank in [" ", "\\n", "\\t", "\u{a0}", "\u{3000}"] {
            let body = format!(
                r#"{{"username":"{blank}+34999999999{blank}","code":"123456{blank}","none":"{blank}"}}"#
            );
            let username = field(&body, |fields| fields.username()).unwrap();
            assert_eq!(username.as_str(), "+34999999999");
            let code = field(&body, |fields| fields.code("code")).unwrap();
            assert_eq!(code.expose_secret(), "123456");
            let error = field(&body, |fields| fields.code("none")).unwrap_err();
            assert_eq!(error.name, "MissingRequiredParameter");
        }
        // Not of what no person types, nor of a password.
        assert!(field(r#"{"session":"a "}"#, |fields| fields.session("session")).is_err());
        let password = field(r#"{"password":" a "}"#, |fields| fields.secret("password"));
        assert_eq!(password.unwrap().expose_secret(), " a ");
    }

    #[test]
    fn a_character_outside_ascii_is_named() {
        for text in [
            "+3499999999\u{ff19}",
            "\u{200b}123456",
            "12345\u{feff}6",
            "us\u{e9}r@example.com",
        ] {
            let body = format!(r#"{{"username":"{text}","confirmationCode":"{text}"}}"#);
            let reason = "has a character that is not ASCII, such as a full-width digit or an invisible space.";
            let username = field(&body, |fields| fields.username().map(drop));
            let code = field(&body, |fields| fields.code("confirmationCode").map(drop));
            for (error, key) in [(username, "Username"), (code, "ConfirmationCode")] {
                let (error, message) = (error.unwrap_err(), format!("{key} {reason}"));
                assert_error(&error, "InvalidParameterException", &message, text);
            }
        }
    }

    #[test]
    fn a_text_that_was_not_utf_8_is_rejected() {
        for body in [
            "{\"password\":\"pass\u{fffd}word\"}",
            r#"{"password":"\ufffd"}"#,
        ] {
            let error = field(body, |fields| fields.secret("password")).unwrap_err();
            assert_eq!(error.name, "SerializationException");
            assert!(error.message.contains("UTF-8"));
        }
    }
}
