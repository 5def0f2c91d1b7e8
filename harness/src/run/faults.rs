//! The faults that a scenario injects, and whether anybody met them.

use rolecall_scenario::model::{Action, Step};

use crate::world::{FaultEnd, World, WorldError};

/// The faults that hold, and what became of those that ended.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Services with a fault, and the step that injected it, from 0.
    held: Vec<(String, usize)>,
    /// Those that ended and that nobody met.
    unmet: Vec<(String, usize)>,
}

// === impl Faults ===

impl Faults {
    /// Does what a step says of faults; whether it says anything.
    ///
    /// # Errors
    /// The world cannot, or a fault that ends was to be met more often.
    pub(super) async fn are_changed_by<W: World>(
        &mut self,
        world: &W,
        step: &Step,
        index: usize,
    ) -> Result<bool, WorldError> {
        match &step.action.value {
            Action::Inject(faults) => {
                for fault in faults {
                    world.inject(fault).await?;
                    self.held.push((fault.service.clone(), index));
                }
            }
            Action::Heal(services) => {
                for service in services {
                    let Some(at) = self.held.iter().position(|(held, _)| held == service) else {
                        return Err(WorldError::new(format!("{service} has no fault to heal")));
                    };
                    let (_, injected) = self.held.remove(at);
                    self.held.retain(|(held, _)| held != service);
                    self.judge(service, injected, world.heal(service).await?)?;
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Ends all that still holds.
    ///
    /// # Errors
    /// The step of the fault, and what is wrong with it: it was to be met more often.
    pub(super) async fn end<W: World>(&mut self, world: &W) -> Result<(), (usize, WorldError)> {
        while let Some((service, injected)) = self.held.first().cloned() {
            self.held.retain(|(held, _)| *held != service);
            let ended = world.heal(&service).await.map_err(|error| (injected, error))?;
            self.judge(&service, injected, ended)
                .map_err(|error| (injected, error))?;
        }
        Ok(())
    }

    /// What a person should know: faults that proved nothing.
    pub(super) fn unmet(&self) -> impl Iterator<Item = String> {
        self.unmet
            .iter()
            .map(|(service, step)| format!("nobody met the fault of {service} (step {})", step + 1))
    }

    fn judge(&mut self, service: &str, injected: usize, end: FaultEnd) -> Result<(), WorldError> {
        if end.left > 0 {
            return Err(WorldError::new(format!(
                "the fault of {service} was met {}, and {} more {} due by its `times`",
                times(end.met),
                end.left,
                if end.left == 1 { "was" } else { "were" },
            )));
        }
        if end.met == 0 {
            self.unmet.push((service.to_owned(), injected));
        }
        Ok(())
    }
}

fn times(count: u32) -> String {
    match count {
        0 => "by nobody".to_owned(),
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}
