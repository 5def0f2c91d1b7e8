//! Random policies and requests, decided here and by an independent evaluator.
//!
//! Runs where `ROLECALL_MINISTACK` names a Python interpreter that has ministack 1.5.33, and says so where it does not.
//! `ROLECALL_MINISTACK_PAIRS` is the number of questions (100,000), `ROLECALL_MINISTACK_SEED` the seed (1). Where the two
//! decide differently, one of the rules of [`settled`] has to tell why, or the run fails with the question.

mod oracle;
mod question;
mod settled;

use std::collections::BTreeMap;
use std::process::ExitCode;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::oracle::Oracle;
use crate::question::Question;

/// How many unsettled questions are printed.
const SHOWN: usize = 5;

fn main() -> ExitCode {
    // Whoever lists the tests (cargo nextest) does not want them run.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let Some(python) = std::env::var_os("ROLECALL_MINISTACK") else {
        println!("skipped: ROLECALL_MINISTACK names no Python interpreter with ministack==1.5.33");
        return ExitCode::SUCCESS;
    };
    let number = |name: &str, or: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(or)
    };
    let (pairs, seed) = (
        number("ROLECALL_MINISTACK_PAIRS", 100_000),
        number("ROLECALL_MINISTACK_SEED", 1),
    );
    match compare(&python, pairs, seed) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the independent evaluator failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(python: &std::ffi::OsStr, pairs: u64, seed: u64) -> std::io::Result<bool> {
    let mut oracle = Oracle::start(python)?;
    let mut random = StdRng::seed_from_u64(seed);
    let (mut agreed, mut allowed, mut plain) = (0u64, 0u64, 0u64);
    let mut settled: BTreeMap<&str, u64> = BTreeMap::new();
    let mut unsettled = 0;
    for batch in 0..pairs.div_ceil(1000) {
        let size = 1000.min(pairs - batch * 1000);
        let questions: Vec<Question> = (0..size).map(|_| Question::random(&mut random)).collect();
        let answers = oracle.ask(&questions)?;
        for (question, theirs) in questions.iter().zip(answers) {
            let ours = question.decide();
            let reasons = settled::reasons(question);
            allowed += u64::from(ours);
            plain += u64::from(reasons.is_empty());
            if ours == theirs {
                agreed += 1;
            } else if let Some(reason) = reasons.first() {
                *settled.entry(reason).or_default() += 1;
            } else {
                unsettled += 1;
                if unsettled <= SHOWN {
                    println!("here allowed: {ours}, there: {theirs}\n{}\n", question.to_json());
                }
            }
        }
    }
    println!("seed {seed}: {pairs} questions, {allowed} allowed here, {agreed} decided alike");
    println!("{plain} questions have nothing in them on which a difference is known");
    for (reason, count) in &settled {
        println!("{count} differ, settled: {reason}");
    }
    println!("{unsettled} differ, unsettled");
    Ok(unsettled == 0)
}
