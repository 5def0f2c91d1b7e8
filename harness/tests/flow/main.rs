//! botocore, the `aws` command line and the Rust SDK ask one flow of `rolecall serve aws`, with its memory and with the
//! LocalStack of `ROLECALL_LOCALSTACK`: each answer is AWS's, and all have the same. What LocalStack alone lets through is
//! refused. What is not installed here is said to be ignored, with the reason.

mod botocore;
mod command_line;
mod driver;
mod plain;
mod run;
mod rust_sdk;
mod served;
mod step;
mod table;

use std::sync::OnceLock;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use rolecall_clock::{monotonic, since};

use crate::{
    driver::Driver,
    run::Outcome,
    served::Served,
    step::{Expected, Step},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Botocore,
    CommandLine,
    RustSdk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backend {
    Memory,
    LocalStack,
}

/// Every client with every backend.
const RUNS: [(Client, Backend); 6] = [
    (Client::RustSdk, Backend::Memory),
    (Client::Botocore, Backend::Memory),
    (Client::CommandLine, Backend::Memory),
    (Client::RustSdk, Backend::LocalStack),
    (Client::Botocore, Backend::LocalStack),
    (Client::CommandLine, Backend::LocalStack),
];

/// What came of each run, or why there is none.
static OUTCOMES: [OnceLock<Run>; 6] = [const { OnceLock::new() }; 6];

/// Set where there is time for what takes minutes.
const SLOW: &str = "ROLECALL_SLOW_TESTS";

/// How many failures of a trial are shown.
const SHOWN: usize = 20;

#[derive(Clone, Debug)]
enum Run {
    Done(Vec<Outcome>),
    /// Something is not installed.
    Skipped(String),
    Failed(String),
}

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = (0..RUNS.len())
        .map(|number| {
            let (client, backend) = RUNS[number];
            let name = format!("{}_with_{}_is_answered_as_by_aws", client.name(), backend.name());
            Trial::ignorable_test(name, move || as_by_aws(number))
        })
        .collect();
    trials.push(Trial::ignorable_test("all_have_the_same_answers", all_alike));
    trials.push(Trial::ignorable_test(
        "localstack_alone_lets_through_what_is_refused",
        gaps,
    ));
    libtest_mimic::run(&arguments, trials).exit();
}

/// A run, which is done once.
fn ran(number: usize) -> &'static Run {
    OUTCOMES[number].get_or_init(|| {
        let (client, backend) = RUNS[number];
        if client == Client::CommandLine && std::env::var_os(SLOW).is_none() {
            let why = format!("it starts `aws` 159 times, which takes minutes; set {SLOW}=1 to have it done");
            return Run::Skipped(why);
        }
        let mut driver = match client.start() {
            Ok(Ok(driver)) => driver,
            Ok(Err(failed)) => return Run::Failed(failed),
            Err(skipped) => return Run::Skipped(skipped),
        };
        let upstream = match backend {
            Backend::Memory => None,
            Backend::LocalStack => match localstack() {
                Ok(url) => Some(url),
                Err(skipped) => return Run::Skipped(skipped),
            },
        };
        let served = match Served::front(upstream.as_deref()) {
            Ok(served) => served,
            Err(failed) => return Run::Failed(failed),
        };
        let started = monotonic();
        let outcomes = run::run(&table::steps(), &served, &mut *driver);
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Refused(_)));
        let (steps, refused) = (outcomes.len(), refused.count());
        let took = since(started).as_secs_f64();
        let (client, backend) = (client.name(), backend.name());
        println!("{client} with {backend}: {steps} steps, {refused} of them refused, in {took:.1} s");
        Run::Done(outcomes)
    })
}

fn localstack() -> Result<String, String> {
    std::env::var("ROLECALL_LOCALSTACK")
        .map_err(|_| "ROLECALL_LOCALSTACK gives no URL of a LocalStack, such as http://127.0.0.1:4566".to_owned())
}

fn as_by_aws(number: usize) -> Result<Completion, Failed> {
    let outcomes = match ran(number) {
        Run::Done(outcomes) => outcomes,
        Run::Skipped(why) => return Ok(Completion::ignored_with(why)),
        Run::Failed(why) => return Err(why.into()),
    };
    let steps = table::steps();
    let wrong = steps.iter().zip(outcomes).enumerate();
    let wrong = wrong.filter(|(_, (step, outcome))| !outcome.is(step.expected));
    verdict(wrong.map(|(row, (step, outcome))| format!("{}: {outcome:?}", shown(row, step))))
}

fn all_alike() -> Result<Completion, Failed> {
    let steps = table::steps();
    let mut runs = (0..RUNS.len()).filter_map(|number| match ran(number) {
        Run::Done(outcomes) => Some((RUNS[number], outcomes)),
        _ => None,
    });
    let Some((_, first)) = runs.next() else {
        return Err("nothing was run".into());
    };
    let (mut unlike, mut others) = (Vec::new(), 0);
    for ((client, backend), outcomes) in runs {
        others += 1;
        for (row, (one, other)) in first.iter().zip(outcomes).enumerate() {
            if !alike(one, other) {
                let (step, client, backend) = (shown(row, &steps[row]), client.name(), backend.name());
                unlike.push(format!(
                    "{step}\n  first: {one:?}\n  {client} with {backend}: {other:?}"
                ));
            }
        }
    }
    if others == 0 {
        return Ok(Completion::ignored_with(
            "there is one run alone, and nothing to compare it with",
        ));
    }
    verdict(unlike.into_iter())
}

/// The same outcome. IAM's own refusals, of what is there already or is not there, LocalStack words in its own way.
fn alike(one: &Outcome, other: &Outcome) -> bool {
    match (one, other) {
        (Outcome::Refused(one), Outcome::Refused(other))
            if ["EntityAlreadyExists", "NoSuchEntity"].contains(&one.code.as_str()) =>
        {
            (one.status, &one.code) == (other.status, &other.code)
        }
        _ => one == other,
    }
}

/// The table's rows about LocalStack are true: without the front, it does what is refused with it.
fn gaps() -> Result<Completion, Failed> {
    let url = match localstack() {
        Ok(url) => url,
        Err(why) => return Ok(Completion::ignored_with(why)),
    };
    let mut steps = table::steps();
    for step in &mut steps {
        // Nothing comes with time that cannot be moved.
        step.comes = false;
    }
    let outcomes = run::run(&steps, &Served::alone(&url), &mut rust_sdk::RustSdk);
    let (mut wrong, mut let_through) = (Vec::new(), 0);
    for (row, (step, outcome)) in steps.iter().zip(&outcomes).enumerate() {
        let leaves = matches!(step.expected, Expected::Nothing(_));
        match outcome {
            _ if !step.gap && !leaves => {}
            Outcome::Done if step.gap => let_through += 1,
            // Without a signature to go by, it takes a question to S3 for one to itself.
            Outcome::Refused(refusal) if step.gap && refusal.status == 200 => let_through += 1,
            Outcome::Done => {}
            other => wrong.push(format!("{}: {other:?}", shown(row, step))),
        }
    }
    println!("LocalStack alone: {let_through} steps let through that AWS refuses");
    verdict(wrong.into_iter())
}

fn shown(row: usize, step: &Step) -> String {
    format!(
        "{row}. {} ({:?}, {:?}, expected {:?})",
        step.what, step.by, step.ask, step.expected
    )
}

fn verdict(wrong: impl Iterator<Item = String>) -> Result<Completion, Failed> {
    let wrong: Vec<_> = wrong.collect();
    if wrong.is_empty() {
        Ok(Completion::Completed)
    } else {
        // One that fails early takes others with it.
        let more = wrong.len().saturating_sub(SHOWN);
        let more = if more > 0 {
            format!("\nand {more} more")
        } else {
            String::new()
        };
        Err(format!("{}{more}", wrong[..wrong.len().min(SHOWN)].join("\n")).into())
    }
}

// === impl Client ===

impl Client {
    fn name(self) -> &'static str {
        match self {
            Self::Botocore => "botocore",
            Self::CommandLine => "the_aws_command_line",
            Self::RustSdk => "the_rust_sdk",
        }
    }

    /// The client, or that it failed, or else why there is none here.
    fn start(self) -> Result<Result<Box<dyn Driver>, String>, String> {
        fn boxed<D: Driver + 'static>(driver: D) -> Box<dyn Driver> {
            Box::new(driver)
        }
        Ok(match self {
            Self::Botocore => botocore::Botocore::start(&botocore::python()?).map(boxed),
            Self::CommandLine => command_line::CommandLine::new(command_line::aws()?).map(boxed),
            Self::RustSdk => Ok(boxed(rust_sdk::RustSdk)),
        })
    }
}

// === impl Backend ===

impl Backend {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::LocalStack => "localstack",
        }
    }
}
