//! The resources that stay after a deletion or a failed first deployment, and the commands of `docs/deploying.md` for
//! them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use e2e::{Mode, Person, Stack, text};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../docs/deploying.md");

/// The page's commands under this heading.
fn commands(heading: &str) -> &'static str {
    let (_, section) = PAGE.split_once(&format!("\n### {heading}\n")).unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    block.split_once("\n```").unwrap().0
}

/// Runs the page's commands under this heading on this pool.
#[track_caller]
fn run(heading: &str, pool_id: &str, stack: &str) {
    let script = commands(heading)
        .replace("us-east-1_Example", pool_id)
        .replace("STACK=auth-rocket", &format!("STACK={stack}"));
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kept-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let script = format!("set -euo pipefail; cd {}\n{script}", folder.display());
    Stack::standard().embedded_aws(&["run", "bash", "-c", &script]);
    fs::remove_dir_all(&folder).unwrap();
}

/// The first column of the page's table of resources that stay. `RoleGroup…` becomes `RoleGroup`.
fn documented_resources() -> BTreeSet<&'static str> {
    let (_, section) = PAGE.split_once("\n## What `sam delete` leaves\n").unwrap();
    let (_, rows) = section.split_once("|---|---|---|\n").unwrap();
    let cells = rows.lines().take_while(|line| line.starts_with('|'));
    let names = cells.flat_map(|line| {
        line.split('|')
            .nth(1)
            .unwrap()
            .split('`')
            .skip(1)
            .step_by(2)
    });
    names.map(|name| name.trim_end_matches('…')).collect()
}

fn logical_ids(events: &[Value], status: &str) -> BTreeSet<String> {
    let events = events
        .iter()
        .filter(|event| event["ResourceStatus"] == status);
    events
        .map(|event| text(&event["LogicalResourceId"]))
        .collect()
}

/// Whether the AWS CLI succeeds with these arguments.
fn succeeds(aws: &Stack, arguments: &str) -> bool {
    let script = format!("aws {arguments} >/dev/null 2>&1 && echo yes || echo no");
    aws.embedded_aws(&["run", "bash", "-c", &script]) == "yes\n"
}

fn has_pool(aws: &Stack, id: &str) -> bool {
    succeeds(
        aws,
        &format!("cognito-idp describe-user-pool --user-pool-id {id}"),
    )
}

fn has_role(aws: &Stack, name: &str) -> bool {
    succeeds(aws, &format!("iam get-role --role-name {name}"))
}

#[test]
fn kept_pool_can_be_restored_and_deleted() {
    let aws = Stack::standard();
    // The longest possible name.
    let name: &'static str = format!("Kept-{}", "a".repeat(123)).leak();
    let mode = Mode::UserPassword;
    let parameters = [
        "PhoneSignUpRoles=User",
        "SkipConfirmationRoles=User",
        "DeletionProtection=ACTIVE",
        "EnableWaf=true",
        "AlarmEmail=ops@example.com",
    ];
    let stack = Stack::deploy(name, mode, &parameters);
    let person = Person::with_email();
    stack.sign_up(&person, "User").assert_ok();
    let pool_id = stack.pool_id().to_owned();
    let id = |kind: &str, name: &str, stack: &Stack| {
        stack.resources()[&(format!("AWS::{kind}"), name.to_owned())].clone()
    };
    let old_role = id("IAM::Role", "SmsRole", &stack);

    let kept = logical_ids(&aws.delete(name), "DELETE_SKIPPED");
    let is_group = |name: &String| name.starts_with("RoleGroup");
    let (groups, mut kept): (BTreeSet<_>, BTreeSet<_>) = kept.into_iter().partition(is_group);
    assert!(groups.contains("RoleGroupUser"));
    kept.insert("RoleGroup".to_owned());
    let resources = documented_resources()
        .into_iter()
        .filter(|name| !name.contains(['-', '/']));
    assert_eq!(kept, resources.map(str::to_owned).collect());
    assert!(has_pool(&aws, &pool_id) && has_role(&aws, &old_role));
    // What the page says that it lacks: the triggers are gone, so that nobody can be added.
    for (command, answer) in [
        ("list-user-pool-clients", "\"UserPoolClients\": []"),
        ("describe-user-pool --query UserPool.Domain", "null"),
        (
            "describe-user-pool --query UserPool.LambdaConfig.PreSignUp",
            ":function:",
        ),
        (
            "admin-create-user --username new@example.com",
            "UnexpectedLambdaException",
        ),
        (
            &format!("admin-get-user --username {}", person.username),
            "\"UserStatus\": \"CONFIRMED\"",
        ),
    ] {
        let command = format!("aws cognito-idp {command} --user-pool-id {pool_id} 2>&1 || true");
        let shown = aws.embedded_aws(&["run", "bash", "-c", &command]);
        assert!(shown.contains(answer), "{command}: {shown}");
    }

    let name = "brought-back";
    run("Bring it back", &pool_id, name);
    let deploy = "deploy prod --stack-name brought-back --no-resolve-s3 --s3-bucket test-stacks \
        --parameter-overrides Mode=UserPassword PhoneSignUpRoles=User DeletionProtection=ACTIVE";
    aws.embedded_aws(&deploy.split_whitespace().collect::<Vec<_>>());
    let stack = Stack::deployed(name, mode);
    assert_eq!(stack.pool_id(), pool_id);
    stack.tokens_of(&person);
    assert_eq!(stack.groups_of(&person.username), ["User"]);
    let role = id("IAM::Role", "SmsRole", &stack);
    assert_ne!(role, old_role);

    aws.delete(name);
    let role_name = format!("--role-name {role}");
    assert!(succeeds(
        &aws,
        &format!("iam delete-role-policy --policy-name send-sms {role_name}")
    ));
    assert!(succeeds(&aws, &format!("iam delete-role {role_name}")));
    let reset = "--auto-verified-attributes email phone_number --deletion-protection INACTIVE";
    let update = format!("cognito-idp update-user-pool --user-pool-id {pool_id} {reset}");
    assert!(!succeeds(&aws, &update));
    run("Its SMS role is gone", &pool_id, name);
    run("Delete it", &pool_id, name);
    assert!(!has_pool(&aws, &pool_id) && !has_role(&aws, &role));
}

#[test]
fn failed_first_deployment_leaves_only_a_protected_pool() {
    let aws = Stack::standard();
    let mut template = aws.template();
    let resources = template["Resources"].as_object().unwrap().iter();
    // It depends on every resource without a condition, so that it fails last.
    let others = resources.filter(|(_, resource)| resource["Condition"].is_null());
    let others: Vec<String> = others.map(|(name, _)| name.clone()).collect();
    let group = json!({ "GroupName": "Nobody", "UserPoolId": "us-east-1_nowhere" });
    template["Resources"]["Failing"] =
        json!({ "Type": "AWS::Cognito::UserPoolGroup", "DependsOn": others, "Properties": group });

    for (protection, left) in [("INACTIVE", &[][..]), ("ACTIVE", &["SmsRole", "UserPool"])] {
        let name = format!("failing-{}", protection.to_lowercase());
        let deletion = format!("DeletionProtection={protection}");
        let stack = aws.create(&name, &template, &["PhoneSignUpRoles=User", &deletion]);
        assert_eq!(stack["StackStatus"], "ROLLBACK_COMPLETE", "{stack}");
        let describe = ["cloudformation", "describe-stack-events"];
        let events = [&describe[..], &["--stack-name", &name]].concat();
        let events = aws.cli(&events)["StackEvents"].take();
        let events = events.as_array().unwrap();
        let created = logical_ids(events, "CREATE_COMPLETE");
        assert!(created.contains("ApiGatewayLogsRole"));
        let deleted = logical_ids(events, "DELETE_COMPLETE");
        let kept: BTreeSet<&str> = created.difference(&deleted).map(String::as_str).collect();
        assert_eq!(kept, left.iter().copied().collect(), "{protection}");

        let of_pool = |event: &&Value| event["LogicalResourceId"] == "UserPool";
        let pool = events.iter().find(of_pool).unwrap();
        let pool_id = text(&pool["PhysicalResourceId"]);
        assert_eq!(has_pool(&aws, &pool_id), protection == "ACTIVE");
        aws.delete(&name);
        if protection == "ACTIVE" {
            run("Delete it", &pool_id, &name);
            assert!(!has_pool(&aws, &pool_id));
        }
    }
}
