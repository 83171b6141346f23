//! Lines of JSON that are CloudWatch metrics too, by its embedded metric format (EMF).
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>:
//! the member `_aws` names the members of the line that are metrics, and their dimensions. Those that a line
//! does not have are passed over, so that one text does for all lines.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;

/// The member that only the line of an answered call has.
const REQUESTS: &str = "Requests";

/// The format of a line: the JSON of its fields, with the metrics in front.
pub(crate) struct Emf {
    json: Format<Json>,
    directives: Option<String>,
}

impl Emf {
    /// With metrics in this namespace; without any where there is none.
    pub(super) fn new(json: Format<Json>, namespace: Option<String>) -> Self {
        Self {
            json,
            directives: namespace.map(|namespace| directives(&namespace)),
        }
    }
}

/// What the metrics are. Every value of a dimension makes a metric that AWS charges for: there are few.
fn directives(namespace: &str) -> String {
    let directive = |dimensions: &str, metrics: &str| {
        format!(
            r#"{{"Namespace":"{namespace}","Dimensions":[[{dimensions}]],"Metrics":[{metrics}]}}"#
        )
    };
    [
        directive(
            r#""function","outcome""#,
            r#"{"Name":"Requests","Unit":"Count"}"#,
        ),
        directive(
            r#""function""#,
            r#"{"Name":"UpstreamLatency","Unit":"Milliseconds"},{"Name":"UpstreamRetries","Unit":"Count"}"#,
        ),
        directive(
            "",
            r#"{"Name":"SignUps","Unit":"Count"},{"Name":"SignIns","Unit":"Count"},{"Name":"SignInFailures","Unit":"Count"},{"Name":"CodesSent","Unit":"Count"},{"Name":"CodesRefused","Unit":"Count"}"#,
        ),
    ]
    .join(",")
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
        match (&self.directives, line.strip_prefix('{')) {
            (Some(directives), Some(members)) if is_metric => {
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

        let metrics = |directive: &Value| -> Vec<(String, String)> {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let metrics = directive["Metrics"].as_array().unwrap().iter();
            metrics
                .map(|metric| (text(&metric["Name"]), text(&metric["Unit"])))
                .collect()
        };
        let count = |name: &str| (name.to_owned(), "Count".to_owned());
        let latency = ("UpstreamLatency".to_owned(), "Milliseconds".to_owned());
        let expected = [
            (json!([["function", "outcome"]]), vec![count("Requests")]),
            (
                json!([["function"]]),
                vec![latency, count("UpstreamRetries")],
            ),
            (
                json!([[]]),
                [
                    "SignUps",
                    "SignIns",
                    "SignInFailures",
                    "CodesSent",
                    "CodesRefused",
                ]
                .map(count)
                .to_vec(),
            ),
        ];
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(directives.len(), expected.len());
        for (directive, (dimensions, names)) in directives.iter().zip(expected) {
            assert_eq!(directive["Namespace"], "AuthRocket");
            assert_eq!(directive["Dimensions"], dimensions);
            assert_eq!(metrics(directive), names);
        }
        assert_eq!(
            (&line["function"], &line["outcome"], &line["Requests"]),
            (&json!("sign-in"), &json!("success"), &json!(1))
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
