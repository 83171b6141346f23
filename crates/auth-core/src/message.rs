//! The answer of the routes that only have something to say.

use serde::Serialize;

/// A sentence for the caller.
#[derive(Serialize)]
pub struct Message {
    message: String,
}

impl Message {
    /// A message of this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}
