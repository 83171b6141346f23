//! Lines of JSON that are CloudWatch metrics too, by its embedded metric format (EMF).
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>:
//! the member `_aws` names the members of the line that are metrics, and their dimensions. It may name none that
//! the line does not have.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;

/// The member that only the line of an answered call has.
const REQUESTS: &str = "Requests";

/// The metrics with their units, by their dimensions. Every value of a dimension makes a metric that AWS charges
/// for: there are few.
const METRICS: [(&str, &[(&str, &str)]); 3] = [
    (r#""function","outcome""#, &[(REQUESTS, "Count")]),
    (
        r#""function""#,
        &[
            ("UpstreamLatency", "Milliseconds"),
            ("UpstreamRetries", "Count"),
        ],
    ),
    (
        "",
        &[
            ("SignUps", "Count"),
            ("SignIns", "Count"),
            ("SignInFailures", "Count"),
            ("CodesSent", "Count"),
            ("CodesRefused", "Count"),
        ],
    ),
];

/// The format of a line: the JSON of its fields, with the metrics in front.
pub(crate) struct Emf {
    json: Format<Json>,
    namespace: Option<String>,
}

impl Emf {
    /// With metrics in this namespace; without any where there is none.
    pub(super) fn new(json: Format<Json>, namespace: Option<String>) -> Self {
        Self { json, namespace }
    }
}

/// What of this line is metrics.
fn directives(namespace: &str, line: &str) -> String {
    let mut directives = String::new();
    for (dimensions, metrics) in METRICS {
        let mut named = String::new();
        for (name, unit) in metrics {
            // Within a value the quotes would be escaped.
            if line.contains(&["\"", name, "\":"].concat()) {
                let comma = if named.is_empty() { "" } else { "," };
                named += &[comma, r#"{"Name":""#, name, r#"","Unit":""#, unit, r#""}"#].concat();
            }
        }
        if !named.is_empty() {
            let comma = if directives.is_empty() { "" } else { "," };
            directives += &[
                comma,
                r#"{"Namespace":""#,
                namespace,
                r#"","Dimensions":[["#,
                dimensions,
                r#"]],"Metrics":["#,
                &named,
                "]}",
            ]
            .concat();
        }
    }
    directives
}

impl<S> FormatEvent<S, JsonFields> for Emf
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.json
            .format_event(context, Writer::new(&mut line), event)?;
        let is_metric = event.metadata().fields().field(REQUESTS).is_some();
        match (&self.namespace, line.strip_prefix('{')) {
            (Some(namespace), Some(members)) if is_metric => {
                let directives = directives(namespace, members);
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                let now = now.unwrap_or_default().as_millis();
                write!(
                    writer,
                    r#"{{"_aws":{{"Timestamp":{now},"CloudWatchMetrics":[{directives}]}},{members}"#
                )
            }
            _ => writer.write_str(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::{Value, json};

    use super::*;
    use crate::telemetry::Call;
    use crate::testing::{log, log_with};

    fn call() -> Call<'static> {
        Call {
            function: "sign-in",
            request_id: "the-request-id",
            route: "/auth/sign-in",
            started: Instant::now(),
        }
    }

    #[test]
    fn the_line_of_a_call_is_metrics_too_with_few_dimensions_none_of_them_personal() {
        let (log, _guard) = log();
        call().finish(Ok(()));
        let line = &log.lines()[0];
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let age = now.as_millis() as u64 - line["_aws"]["Timestamp"].as_u64().unwrap();
        assert!(age < 60_000, "{line}");

        // It names what it has, and nothing else.
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"],
            json!([directive(
                &["function", "outcome"],
                &[("Requests", "Count")]
            )])
        );
        assert_eq!(
            (&line["function"], &line["outcome"], &line["Requests"]),
            (&json!("sign-in"), &json!("success"), &json!(1))
        );
    }

    fn directive(dimensions: &[&str], metrics: &[(&str, &str)]) -> Value {
        let metrics = metrics.iter();
        let metrics: Vec<Value> = metrics
            .map(|(name, unit)| json!({ "Name": name, "Unit": unit }))
            .collect();
        json!({ "Namespace": "AuthRocket", "Dimensions": [dimensions], "Metrics": metrics })
    }

    #[test]
    fn a_line_names_all_the_metrics_that_it_has_and_no_text_in_it_passes_for_one() {
        let line = |members: &str| -> Value {
            serde_json::from_str(&format!("[{}]", directives("AuthRocket", members))).unwrap()
        };
        let all = METRICS.iter().flat_map(|(_, metrics)| metrics.iter());
        let members: Vec<String> = all.map(|(name, _)| format!(r#""{name}":1"#)).collect();
        let count = |name| (name, "Count");
        assert_eq!(
            line(&members.join(",")),
            json!([
                directive(&["function", "outcome"], &[count("Requests")]),
                directive(
                    &["function"],
                    &[
                        ("UpstreamLatency", "Milliseconds"),
                        count("UpstreamRetries")
                    ]
                ),
                directive(
                    &[],
                    &[
                        count("SignUps"),
                        count("SignIns"),
                        count("SignInFailures"),
                        count("CodesSent"),
                        count("CodesRefused"),
                    ]
                ),
            ])
        );
        assert_eq!(
            line(r#""cause":"no \"SignUps\": here","CodesSent":1}"#),
            json!([directive(&[], &[count("CodesSent")])])
        );
    }

    #[test]
    fn only_the_line_of_a_call_has_metrics_and_none_has_without_a_namespace() {
        let (log, guard) = log();
        tracing::error!(cause = "why", "not a call");
        assert_eq!(log.lines()[0]["_aws"], Value::Null);
        drop(guard);

        let (log, _guard) = log_with(None);
        call().finish(Ok(()));
        let line = &log.lines()[0];
        assert_eq!(
            (&line["_aws"], &line["Requests"]),
            (&Value::Null, &json!(1))
        );
    }
}
