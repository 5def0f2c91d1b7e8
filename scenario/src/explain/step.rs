use super::{
    change::Known,
    expect,
    phrase::{and, code, names, quoted},
};
use crate::{
    Spanned, format_duration,
    model::{
        Action, Actor, Call, Credentials, Fault, FaultKind, ImdsRequest, Journal, ProxyCommand, ProxyVerb, Scenario,
        Step, Target, TokenUse,
    },
};

/// One step in words.
pub(super) fn step(scenario: &Scenario, step: &Step, known: &mut Known) -> String {
    let mut said = capital(&action(scenario, step, known));
    if let Some(times) = &step.at_once {
        said.push_str(&format!(", {} times at the same moment", times.value));
    }
    let mut due = step
        .expect
        .as_ref()
        .map(|expect| expect::all(expect, &step.action))
        .unwrap_or_default();
    if step.at_once.is_some() && !due.is_empty() {
        due.push("each answer is judged".to_owned());
    }
    if let Some(name) = &step.save {
        let kept = match (token(step), due.is_empty()) {
            (true, _) => "the token is",
            (false, true) => "the keys are",
            (false, false) => "they are",
        };
        due.push(format!("{kept} kept as {}", code(name)));
    }
    if !due.is_empty() {
        said.push_str(&format!(": {}", due.join("; ")));
    }
    said.push('.');
    if let Some(within) = &step.within {
        match within.value.is_zero() {
            true => said.push_str(" It is asked once."),
            false => said.push_str(&format!(
                " A former state is forgiven for {}.",
                format_duration(within.value)
            )),
        }
    }
    if let Some(throughout) = step.throughout.as_ref().filter(|time| !time.value.is_zero()) {
        said.push_str(&format!(" It must stay so for {}.", format_duration(throughout.value)));
    }
    said
}

fn token(step: &Step) -> bool {
    matches!(&step.action.value, Action::Imds(requests) if requests.iter().any(|request| request.method == "PUT"))
}

fn action(scenario: &Scenario, step: &Step, known: &mut Known) -> String {
    let actor = match step.actor.as_ref().map(|actor| &actor.value) {
        Some(Actor::Pod(name) | Actor::Node(name)) => name.clone(),
        None => "the operator".to_owned(),
    };
    match &step.action.value {
        Action::Credentials(walk) => credentials(&actor, walk),
        Action::Imds(requests) => imds(&actor, requests),
        Action::Call(call) => format!("{actor} calls {}{}", operation(call), signed(scenario, step)),
        Action::Exec(words) => format!("{actor} runs {}", code(&words.join(" "))),
        Action::Apply(given, proxy) => match known.change(given, proxy) {
            changes if changes.is_empty() => "the operator applies nothing that is built yet".to_owned(),
            changes => format!("the operator applies a change: {}", changes.join("; ")),
        },
        Action::Delete { pods, grace } => format!("the operator deletes {}{}", the_pods(pods), with_grace(*grace)),
        Action::Recreate { pods, grace } => {
            let them = if pods.len() == 1 { "it" } else { "them" };
            let (pods, grace) = (the_pods(pods), with_grace(*grace));
            format!("the operator deletes {pods}{grace} and makes {them} anew on the same node")
        }
        Action::Proxy(command) => proxy(command),
        Action::Journal(journal) => self::journal(scenario, journal),
        Action::Log { node } => format!("the proxy's log{}", on(node.as_ref())),
        Action::Metrics { node } => format!("the proxy's metrics{}", on(node.as_ref())),
        Action::Advance(by) => format!("the clock moves on by {}", format_duration(*by)),
        Action::Inject(faults) => {
            let all: Vec<String> = faults.iter().map(inject).collect();
            format!("from now on {}", and(&all))
        }
        Action::Heal(services) => {
            let names: Vec<String> = services
                .iter()
                .map(|service| service_name(service).to_owned())
                .collect();
            format!(
                "{} {} well again",
                and(&names),
                if names.len() == 1 { "is" } else { "are" }
            )
        }
    }
}

fn credentials(actor: &str, walk: &Credentials) -> String {
    let mut said = match walk.from_agent {
        true => format!("{actor} asks its credential process"),
        false => format!("{actor} walks the metadata service"),
    };
    if let Some(client) = &walk.client {
        said.push_str(&format!(" with the provider of {client}'s SDK"));
    }
    if let Some(name) = &walk.ask_for {
        said.push_str(&format!(" and asks for {}", code(name)));
    }
    match &walk.token {
        TokenUse::Fresh => {}
        TokenUse::None => said.push_str(" without a token"),
        TokenUse::Saved(name) => said.push_str(&format!(" with the token kept as {}", code(name))),
    }
    said
}

fn imds(actor: &str, requests: &[Spanned<ImdsRequest>]) -> String {
    let lines: Vec<String> = requests
        .iter()
        .map(|request| code(&format!("{} {}", request.method, request.target)))
        .collect();
    let mut said = format!("{actor} sends {}", and(&lines));
    let Some(request) = requests.first() else { return said };
    if request.to == Target::Proxy {
        said.push_str(" to the proxy's own port");
    }
    match &request.token {
        TokenUse::None => {}
        TokenUse::Fresh => said.push_str(" with a fresh token"),
        TokenUse::Saved(name) => said.push_str(&format!(" with the token kept as {}", code(name))),
    }
    let header = |(name, value): &(String, String)| match value.strip_prefix("of:") {
        Some(pod) => format!("{} and {pod}'s address", code(name)),
        None => code(&format!("{name}: {value}")),
    };
    if !request.headers.is_empty() {
        let headers: Vec<String> = request.headers.iter().map(header).collect();
        said.push_str(&format!(", with the header {}", and(&headers)));
    }
    if let Some(body) = &request.body {
        said.push_str(&format!(", with the body {}", quoted(body)));
    }
    said
}

fn operation(call: &Call) -> String {
    let value = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let with: Vec<String> = call
        .with
        .iter()
        .map(|(name, given)| format!("{name} {}", value(given)))
        .collect();
    let with = if with.is_empty() {
        String::new()
    } else {
        format!(" ({})", with.join(", "))
    };
    format!("{}:{}{with}", call.service, call.operation)
}

fn signed(scenario: &Scenario, step: &Step) -> String {
    let Some(using) = &step.using else { return String::new() };
    let changes = scenario.steps.iter().filter_map(|step| match &step.action.value {
        Action::Apply(given, _) => Some(&given.users),
        _ => None,
    });
    let users = std::iter::once(&scenario.given.users).chain(changes).flatten();
    let mut named = users.filter(|(_, user)| user.access_key.as_ref().is_some_and(|key| key.value == using.value));
    match named.next() {
        Some((user, _)) => format!(" with the access key of the user {user}"),
        None => format!(" with the keys kept as {}", code(using)),
    }
}

fn the_pods(pods: &[Spanned<String>]) -> String {
    match pods {
        [one] => format!("the pod {}", one.value),
        pods => format!("the pods {}", and(&names(pods))),
    }
}

fn with_grace(grace: std::time::Duration) -> String {
    match grace.is_zero() {
        true => String::new(),
        false => format!(" with {} of grace", format_duration(grace)),
    }
}

fn proxy(command: &ProxyCommand) -> String {
    let what = match command.verb {
        ProxyVerb::Stop => "stopped (SIGTERM)",
        ProxyVerb::Kill => "killed (SIGKILL)",
        ProxyVerb::Start => "started, until it is ready,",
        ProxyVerb::Restart => "restarted, until it is ready,",
    };
    match &command.node {
        Some(node) => format!("the proxy is {what} on {}", node.value),
        None => format!("the proxy is {what} on every worker"),
    }
}

fn on(node: Option<&Spanned<String>>) -> String {
    node.map(|node| format!(" on {}", node.value)).unwrap_or_default()
}

fn journal(scenario: &Scenario, journal: &Journal) -> String {
    let what = match (journal.service.as_str(), journal.operation.as_str()) {
        ("imds", "*") => "requests to the metadata service".to_owned(),
        ("kubernetes", "*") => "requests to the API server".to_owned(),
        ("vault", "*") => "requests to Vault".to_owned(),
        (service, "*") => format!("every call of {service}"),
        (service, operation) => format!("{service}:{operation}"),
    };
    let filter = &journal.filter;
    let mut said = format!("the world's record of {what}");
    let mut say = |words: &str, value: &Option<String>| {
        if let Some(value) = value {
            said.push_str(&format!(" {words} {value}"));
        }
    };
    say("for the role", &filter.role);
    say("by", &filter.by);
    say("from", &filter.from);
    say("answered with", &filter.answer);
    say("with the path", &filter.path);
    say("with the header", &filter.header);
    say("in", &filter.region);
    let since = journal.since.and_then(|since| scenario.steps.get(since)?.name.as_ref());
    said.push_str(
        &since
            .map(|name| format!(", since the step {}", quoted(name)))
            .unwrap_or_default(),
    );
    said
}

fn inject(fault: &Fault) -> String {
    let service = service_name(&fault.service);
    let kinds: Vec<String> = fault
        .kinds
        .iter()
        .map(|kind| match kind {
            FaultKind::Error(code) => format!("{service} answers with {code}"),
            FaultKind::Down => format!("{service} answers nobody"),
            FaultKind::Delay(delay) => format!("{service} answers {} late", format_duration(*delay)),
            FaultKind::DropWatch => format!("watches of {service} break off"),
            FaultKind::Gone => format!("{service} has forgotten what watches go on from"),
            FaultKind::Sealed => format!("{service} is sealed"),
        })
        .collect();
    let said = match kinds.as_slice() {
        [] => format!("{service} is as it was"),
        kinds => and(kinds),
    };
    match fault.times {
        Some(1) => format!("{said}, once"),
        Some(times) => format!("{said}, {times} times"),
        None => said,
    }
}

fn service_name(service: &str) -> &str {
    match service {
        "sts" => "STS",
        "kubernetes" => "the API server",
        "vault" => "Vault",
        "imds" => "the metadata service",
        other => other,
    }
}

fn capital(text: &str) -> String {
    // A pod keeps its name: only sentences that begin with a word of ours are changed.
    if !text.starts_with("the ") && !text.starts_with("from ") {
        return text.to_owned();
    }
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
