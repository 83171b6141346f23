//! Hostile requests: a route's valid body with the changes that attackers, fuzzers and broken clients make, in an HTTP
//! request that need not be valid either.

use std::collections::BTreeMap;
use std::fmt;

use e2e::{Mode, Route};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::string::string_regex;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::ORIGIN;

/// Every generated value contains this mark, and no text of the API does. So an answer with the mark repeats the
/// request. Only a valid username may be repeated.
pub const MARK: &str = "zebra";

/// The maximum size of a body, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Characters to insert into a text.
const CHARACTERS: &str = concat!(
    // Control characters, line ends and spaces.
    "\0\u{1}\u{8}\t\n\u{7f}\u{85}\u{a0} \u{2028}\u{2029}",
    // Bidirectional controls, and invisible characters.
    "\u{202e}\u{202d}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}",
    "\u{200b}\u{200c}\u{200d}\u{2060}\u{ad}\u{feff}\u{e0041}",
    // Look-alikes, and letters that case mapping changes.
    "\u{430}\u{435}\u{3bf}\u{ff20}\u{ff0e}\u{2024}\u{3002}\u{ff0b}",
    "\u{1d7d8}\u{212a}\u{131}\u{130}\u{df}\u{fb01}\u{1d4ca}",
    // The limits of Unicode's ranges, and JSON's quote and escape.
    "\u{d7ff}\u{e000}\u{fffd}\u{ffff}\u{10ffff}\"\\",
);

/// Longer texts to insert into a text.
const INJECTIONS: [&str; 15] = [
    // Line ends that would start another header, and escape sequences of terminals.
    "\r\nSet-Cookie: zebra=1\r\n\r\n<html>",
    "\u{1b}[31m",
    "\u{1b}]0;zebra\u{7}",
    // Digits of another script, and sequences that form one character.
    "\u{661}\u{662}\u{663}",
    "e\u{301}",
    "\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    // Texts that other languages would run or unescape.
    "\",\"error\":{\"type\":\"zebra",
    "</script><script>alert('zebra')</script>",
    "' OR '1'='1",
    "${jndi:ldap://127.0.0.1/zebra}",
    "{{7*7}}$(id)`id`",
    "%00%0d%0aSet-Cookie:%20zebra",
    "../../etc/zebra",
    "%s%n%x",
];

/// JSON texts instead of a string: other types, and values that only some parsers accept.
const VALUES: &str = r#"
    null true false 0 -0 1.0 123456 34999999999 1e400 -1E-400 NaN -Infinity 0x10 +1 01
    18446744073709551616 123456789012345678901234567890123456789012345678901234567890
    0.1e+00000000000000000000000000000000000000000000000000001
    "" "\u0020" "null" "34999999999" 'zebra' zebra
    [] {} ["zebra"] [null,["zebra",{}],1] [1,] {"zebra":"zebra"} {"$ne":null}
    {"__proto__":{"role":"Admin"}} {"constructor":{"prototype":{"role":"Admin"}}}
    {"role":["User"]} {"role":"User","role":"Admin"} {"role":{"toString":"User"}}
    "zebra\ud800" "zebra\udc00\ud800" "zebra\ud83d\u0041" "zebra\u00 "zebra\x41" "zebra\ "zebra
"#;

/// Keys that no route reads. Some have a meaning in other languages.
const KEYS: [&str; 16] = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "$where",
    "",
    "zebra",
    "Username",
    "USERNAME",
    "username ",
    "username\\u0000",
    "usern\\u0430me",
    "username[]",
    "userAttributes.role",
    "custom:role",
    "cognito:groups",
];

/// Bodies that are not valid JSON objects of a route.
const BODIES: [&[u8]; 16] = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"\"zebra\"",
    b"username=zebra%40example.com&password=zebra",
    b"--zebra\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nzebra\r\n--zebra--\r\n",
    b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY zebra SYSTEM \"file:///etc/passwd\">]><a>&zebra;</a>",
    b"{\"username\":\"zebra\"} {\"username\":\"zebra\"}",
    b"{\"username\":\"zebra\"}\0",
    b"\xff\xfe{\0}\0",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03zebra",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xc0\xae\xc0\xae/zebra",
    b"\xf4\x90\x80\x80",
    b"{\"username\":\"\xe2\x28\xa1\"}",
];

/// Bytes before and after a JSON object.
const BEFORE: [&[u8]; 4] = [b"\xef\xbb\xbf", b")]}',\n", b"/* zebra */", b"\0"];
const AFTER: [&[u8]; 4] = [b"\0", b"}", b"// zebra", b"\xff"];

/// A request: everything that the caller chooses.
#[derive(Clone)]
pub struct Request {
    /// The body.
    pub body: Vec<u8>,
    /// The headers, which may repeat.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The query string with its question mark, or an empty string.
    pub query: &'static str,
}

/// Readable, and ready for `printf` into a file of the fuzzer's corpus.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "body: {}", self.body.escape_ascii())?;
        for (name, value) in &self.headers {
            writeln!(formatter, "{name}: {}", value.escape_ascii())?;
        }
        write!(formatter, "query: {}", self.query)
    }
}

/// The body's fields as raw JSON, because an unread field may be invalid as a value, such as a lone surrogate.
pub(crate) fn fields(body: &[u8]) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_slice(body).ok()
}

impl Request {
    /// A request with only this body.
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            headers: Vec::new(),
            query: "",
        }
    }

    /// The username, if an answer may repeat it. The gateway passes on text, so invalid UTF-8 is replaced.
    pub fn username(&self) -> Option<String> {
        let body = String::from_utf8_lossy(&self.body);
        let fields = fields(body.as_bytes())?;
        let name: String = serde_json::from_str(fields.get("username")?.get()).ok()?;
        is_plain(&name).then_some(name)
    }

    /// Generates requests to this route with this access token.
    pub fn any(route: Route, token: &str) -> impl Strategy<Value = Self> {
        // Up to the limit of API Gateway.
        Self::with_headers(route, token, &[1, 1, 1, 20, 4000])
    }

    /// Generates requests. The value of each header is repeated `times`.
    pub(crate) fn with_headers(
        route: Route,
        token: &str,
        times: &'static [usize],
    ) -> impl Strategy<Value = Self> {
        let scheme = prop_oneof![
            8 => Just("Bearer "),
            1 => Just("bEARER   "),
            1 => select(&SCHEMES[..]),
        ];
        let token = token.to_owned();
        let authorization = scheme.prop_map(move |scheme| format!("{scheme}{token}").into_bytes());
        let headers = vec((select(&HEADERS[..]), select(times)), 0..4);
        let query = prop_oneof![4 => Just(""), 1 => select(&QUERIES[..])];
        (body(route), authorization, headers, query).prop_map(
            move |(body, authorization, headers, query)| {
                let token = route.needs_token().then_some(authorization);
                let token = token.map(|value| ("authorization", value));
                let headers = headers.into_iter().map(|((name, value), times)| {
                    let value = value.bytes().cycle().take(2048.min(value.len() * times));
                    (name, value.collect())
                });
                Self {
                    body,
                    headers: token.into_iter().chain(headers).collect(),
                    query,
                }
            },
        )
    }
}

/// Whether this can be a username: no character needs an escape in JSON.
pub(crate) fn is_plain(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_graphic() && c != b'"' && c != b'\\';
    (5..=128).contains(&name.len()) && name.bytes().all(plain)
}

/// Headers that can change how a server reads a body, or what it assumes about the caller.
const HEADERS: [(&str, &str); 35] = [
    ("content-type", "application/json; charset=utf-16"),
    ("content-type", "application/json; charset=zebra"),
    ("content-type", "application/x-www-form-urlencoded"),
    ("content-type", "multipart/form-data; boundary=zebra"),
    ("content-type", "text/plain;charset=utf-7"),
    ("content-type", "application/octet-stream"),
    ("content-type", "image/png"),
    ("content-type", "text/xml"),
    ("content-type", "zebra"),
    ("content-type", ""),
    ("content-encoding", "gzip"),
    ("content-encoding", "zebra"),
    ("accept", "text/html"),
    ("accept", "image/*"),
    ("accept-charset", "utf-16"),
    ("accept-encoding", "br, zebra"),
    ("x-http-method-override", "DELETE"),
    ("x-http-method", "OPTIONS"),
    ("x-method-override", "zebra"),
    ("x-original-url", "/auth/zebra"),
    ("x-rewrite-url", "/auth/zebra"),
    ("x-forwarded-for", "127.0.0.1, zebra"),
    ("x-forwarded-host", "zebra.example"),
    ("x-forwarded-proto", "zebra"),
    ("forwarded", "for=127.0.0.1;host=zebra"),
    ("authorization", "Bearer zebra.zebra.zebra"),
    ("cookie", "zebra=zebra; __proto__=zebra"),
    ("origin", "https://zebra.example"),
    ("origin", "null"),
    ("origin", ORIGIN),
    ("referer", "https://zebra.example/\u{202e}"),
    ("range", "bytes=0-1"),
    ("user-agent", "zebra\u{ff20}\u{1f680}"),
    ("x-amz-invocation-type", "Event"),
    ("x-zebra", "zebra"),
];

/// Wrong schemes before a token.
const SCHEMES: [&str; 6] = [
    "",
    "Bearer",
    "Bearer\t",
    "Bearer zebra ",
    "Bearer zebra,Bearer ",
    "Basic ",
];

/// Query strings. The API uses none.
const QUERIES: [&str; 8] = [
    "?",
    "?username=zebra%40example.com&password=zebra",
    "?zebra=1&zebra=2&zebra[]=3",
    "?__proto__[role]=Admin",
    "?%00=%0d%0aSet-Cookie:%20zebra",
    "?%ff%fe=%e2%80%ae",
    "?httpMethod=OPTIONS&isBase64Encoded=true",
    "?a=../../../../zebra&&&&=&=;;",
];

/// A change of one field of a body. Values are JSON texts.
#[derive(Clone, Debug)]
enum FieldChange {
    Value(String),
    Remove,
    Again(String),
    EscapeKey,
    Rename(&'static str),
    Add(&'static str, String),
}

/// A change of the whole body.
#[derive(Clone, Debug)]
enum BodyChange {
    Leave,
    Cut(Index),
    Pad(usize, u8, bool),
    Array,
    Deep(usize, bool),
    Before(&'static [u8]),
    After(&'static [u8]),
    Insert(Index, Vec<u8>),
    Flip(Index, u8),
    Utf16,
    Replace(Vec<u8>),
}

fn body(route: Route) -> impl Strategy<Value = Vec<u8>> {
    let mut keys: Vec<&str> = route.fields.to_vec();
    if route.path == "/sign-up" {
        keys.push("userAttributes");
    }
    let well_formed: Vec<_> = keys.into_iter().map(|key| field(key, route)).collect();
    let space = prop_oneof![4 => Just(""), 1 => select(&[" ", "\n\t", "\r\n"][..])];
    let changes = vec((any::<Index>(), change(route.mode)), 1..4);
    (well_formed, changes, space, whole()).prop_map(|(mut fields, changes, space, whole)| {
        for (index, change) in changes {
            let at = index.index(fields.len().max(1));
            match change {
                FieldChange::Add(key, value) => {
                    fields.insert(at.min(fields.len()), (key.into(), value))
                }
                _ if fields.is_empty() => {}
                FieldChange::Value(value) => fields[at].1 = value,
                FieldChange::Remove => drop(fields.remove(at)),
                FieldChange::Again(value) => fields.push((fields[at].0.clone(), value)),
                FieldChange::EscapeKey => {
                    let key = &mut fields[at].0;
                    *key = key.chars().map(escaped).collect();
                }
                FieldChange::Rename(key) => fields[at].0 = key.into(),
            }
        }
        let fields: Vec<_> = fields
            .iter()
            .map(|(key, value)| format!("{space}\"{key}\"{space}:{space}{value}{space}"))
            .collect();
        whole.apply(format!("{{{}}}", fields.join(",")).into_bytes())
    })
}

impl BodyChange {
    fn apply(self, mut body: Vec<u8>) -> Vec<u8> {
        let at = |index: Index, body: &[u8]| index.index(body.len() + 1);
        match self {
            Self::Leave => {}
            Self::Cut(index) => body.truncate(at(index, &body)),
            Self::Pad(size, byte, before) => {
                let padding = vec![byte; size.saturating_sub(body.len())];
                let place = if before { 0 } else { body.len() };
                body.splice(place..place, padding);
            }
            Self::Array => body = [b"[", &body[..], b"]"].concat(),
            Self::Deep(levels, closed) => {
                let end = if closed {
                    levels
                } else {
                    levels.saturating_sub(1)
                };
                body = [b"{\"a\":".repeat(levels), body, b"}".repeat(end)].concat();
            }
            Self::Before(bytes) => body = [bytes, &body[..]].concat(),
            Self::After(bytes) => body.extend(bytes),
            Self::Insert(index, bytes) => {
                let place = at(index, &body);
                body.splice(place..place, bytes);
            }
            Self::Flip(index, bits) => {
                let place = index.index(body.len().max(1));
                if let Some(byte) = body.get_mut(place) {
                    *byte ^= bits;
                }
            }
            Self::Utf16 => {
                let text = String::from_utf8_lossy(&body).into_owned();
                body = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            }
            Self::Replace(bytes) => body = bytes,
        }
        body
    }
}

/// A field with a value that its route accepts, and sometimes with a hostile password.
fn field(key: &'static str, route: Route) -> impl Strategy<Value = (String, String)> {
    let mode = route.mode;
    let value = match key {
        // The user of the token, according to the fake AWS.
        "username" if route.needs_token() => {
            let own = route.body()[key].as_str().unwrap().to_owned();
            prop_oneof![2 => Just(own), 1 => valid(key, mode)]
                .prop_map(to_json)
                .boxed()
        }
        "userAttributes" => Just("{\"role\":\"User\"}".to_owned()).boxed(),
        "password" | "newPassword" => text("zebra-Secret!1".to_owned()).prop_map(to_json).boxed(),
        _ => valid(key, mode).prop_map(to_json).boxed(),
    };
    value.prop_map(move |value| (key.to_owned(), value))
}

fn valid(key: &str, mode: Mode) -> BoxedStrategy<String> {
    let matching = |pattern: &str| string_regex(pattern).unwrap().boxed();
    let phone = matching("\\+(34|1)[1-9][0-9]{6,10}");
    match (key, mode) {
        ("username", Mode::UserPassword) => {
            let local = "zebra(\\.?[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]){0,30}";
            let email = matching(&format!(
                "{local}@[a-z0-9]{{1,9}}(-[a-z]{{1,3}})?\\.example"
            ));
            prop_oneof![4 => email, 1 => phone].boxed()
        }
        ("username", Mode::Passwordless) => phone,
        ("confirmationCode", _) => {
            prop_oneof![matching("[0-9]{6}"), matching("zebra[!-~]{1,20}")].boxed()
        }
        ("accessToken", _) => {
            // With the pool and client of the fake AWS.
            let claims = Route::example_token().split('.').nth(1).unwrap();
            matching(&format!(
                "zebra[A-Za-z0-9_-]{{0,60}}\\.{claims}\\.[A-Za-z0-9_-]{{1,60}}"
            ))
        }
        _ => matching("zebra[A-Za-z0-9_-]{20,200}"),
    }
}

/// A valid text, sometimes with inserted characters, or replaced.
fn text(valid: String) -> BoxedStrategy<String> {
    let character = select(CHARACTERS.chars().collect::<Vec<_>>());
    let insertion = prop_oneof![
        3 => character.prop_map(String::from),
        1 => select(&INJECTIONS[..]).prop_map(str::to_owned),
    ];
    let changed = (Just(valid.clone()), any::<Index>(), insertion, 0..3u32);
    let changed = changed.prop_map(|(mut text, index, insertion, times)| {
        let place = index.index(text.len() + 1);
        text.insert_str(place, &insertion.repeat(11usize.pow(times)));
        text
    });
    let arbitrary =
        vec(any::<char>(), 0..40).prop_map(|text| MARK.to_owned() + &String::from_iter(text));
    let long = select(&[64usize, 65, 128, 129, 2048, 2049, 9000][..])
        .prop_map(|length| MARK.chars().cycle().take(length).collect());
    prop_oneof![2 => Just(valid), 6 => changed, 2 => arbitrary, 1 => long].boxed()
}

/// Any JSON value.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text(MARK.to_owned()).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        let key = prop_oneof![
            select(&KEYS[..]),
            select(&["role", "username", "sub", "code"][..])
        ];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key.prop_map(str::to_owned), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn value(mode: Mode) -> impl Strategy<Value = String> {
    let username = valid("username", mode).prop_flat_map(text);
    let nested = (1..3000usize, any::<bool>()).prop_map(|(levels, closed)| {
        "[".repeat(levels) + &"]".repeat(if closed { levels } else { levels - 1 })
    });
    let escaped_text = text(format!("{MARK}@example.com")).prop_map(|text| {
        let escapes: String = text.chars().map(escaped).collect();
        format!("\"{escapes}\"")
    });
    prop_oneof![
        6 => username.prop_map(to_json),
        4 => text("zebra012345".to_owned()).prop_map(to_json),
        2 => escaped_text,
        // Unescaped: a quote or a control character then breaks the JSON.
        1 => text(MARK.to_owned()).prop_map(|text| format!("\"{text}\"")),
        5 => select(VALUES.split_whitespace().collect::<Vec<_>>()).prop_map(str::to_owned),
        1 => json().prop_map(|value| value.to_string()),
        1 => nested,
    ]
}

fn change(mode: Mode) -> impl Strategy<Value = FieldChange> {
    prop_oneof![
        8 => value(mode).prop_map(FieldChange::Value),
        1 => Just(FieldChange::Remove),
        1 => value(mode).prop_map(FieldChange::Again),
        1 => Just(FieldChange::EscapeKey),
        1 => select(&KEYS[..]).prop_map(FieldChange::Rename),
        2 => (select(&KEYS[..]), value(mode)).prop_map(|(key, value)| FieldChange::Add(key, value)),
    ]
}

fn whole() -> impl Strategy<Value = BodyChange> {
    let size = prop_oneof![
        2 => Just(MAX_BODY_BYTES),
        2 => Just(MAX_BODY_BYTES + 1),
        1 => MAX_BODY_BYTES - 3..MAX_BODY_BYTES + 4,
    ];
    let index = any::<Index>;
    prop_oneof![
        24 => Just(BodyChange::Leave),
        1 => index().prop_map(BodyChange::Cut),
        1 => (size, select(&b" \n\0a"[..]), any::<bool>())
            .prop_map(|(size, byte, before)| BodyChange::Pad(size, byte, before)),
        1 => Just(BodyChange::Array),
        1 => (1..3000usize, any::<bool>()).prop_map(|(levels, closed)| BodyChange::Deep(levels, closed)),
        1 => select(&BEFORE[..]).prop_map(BodyChange::Before),
        1 => select(&AFTER[..]).prop_map(BodyChange::After),
        1 => (index(), vec(any::<u8>(), 1..4)).prop_map(|(index, bytes)| BodyChange::Insert(index, bytes)),
        1 => (index(), 1..=255u8).prop_map(|(index, bits)| BodyChange::Flip(index, bits)),
        1 => Just(BodyChange::Utf16),
        1 => vec(any::<u8>(), 0..64).prop_map(BodyChange::Replace),
        1 => select(&BODIES[..]).prop_map(|body| BodyChange::Replace(body.to_vec())),
    ]
}

fn to_json(text: String) -> String {
    Value::from(text).to_string()
}

/// A character as an escape of JSON.
fn escaped(character: char) -> String {
    let mut units = [0; 2];
    let units = character.encode_utf16(&mut units).iter();
    units.map(|unit| format!("\\u{unit:04x}")).collect()
}
