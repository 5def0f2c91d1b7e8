//! Roles that give IAM users, whose keys the metadata service cannot give.

use std::time::Duration;

use crate::{
    fake::Role,
    log,
    world::{Options, World, until},
};

#[tokio::test]
async fn an_iam_users_keys_are_refused_and_the_user_is_gone_at_once() {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", "user");
    let answer = world.keys(&pod).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("no session token") && answer.body.contains("credential-process"),
        "{answer:?}"
    );
    assert!(!answer.body.contains("user-secret"));
    until("the user is gone", || world.fake.state().users.is_empty()).await;
    assert_eq!(world.fake.tokens(), 0);
    let log = log::of(&pod.name);
    let refused: Vec<_> = log.iter().filter(|line| line.contains("refused")).collect();
    assert_eq!(refused.len(), 1, "{log:?}");
    for part in ["path aws/sts/user", "credential_type assumed_role", "AKIA"] {
        assert!(refused[0].contains(part), "{refused:?}");
    }
}

#[tokio::test]
async fn a_role_that_gave_an_iam_user_is_asked_again_ever_more_rarely_for_no_matter_which_pod() {
    let world = World::new(Options::default()).await;
    let mut pause = 60;
    for users in 1..=3 {
        for _ in 0..3 {
            assert_eq!(world.keys(&world.pod("reader", "user")).await.status, 403);
        }
        assert_eq!(world.fake.state().users_made, users);
        world.clock.advance(Duration::from_secs(pause - 5));
        assert_eq!(world.keys(&world.pod("reader", "user")).await.status, 403);
        assert_eq!(world.fake.state().users_made, users);
        world.clock.advance(Duration::from_secs(5));
        pause *= 2;
    }
    until("the users are gone", || world.fake.state().users.is_empty()).await;
}

#[tokio::test]
async fn a_role_of_the_old_form_refuses_before_it_makes_a_user() {
    let world = World::new(Options::default()).await;
    world.fake.state().roles.insert("old".to_owned(), Role::LegacyUser);
    let answer = world.keys(&world.pod("reader", "old")).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("credential-process"), "{answer:?}");
    assert_eq!(world.fake.state().users_made, 0);
    assert!(world.fake.asked("aws/creds").is_empty());
}

#[tokio::test]
async fn a_role_that_becomes_one_of_iam_users_ends_the_keys_that_the_pod_had() {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", "readonly");
    world.key(&pod).await;
    world.fake.state().roles.insert("readonly".to_owned(), Role::User);
    world.clock.advance(Duration::from_secs(460));
    assert_eq!(world.keys(&pod).await.status, 403);
    until("the user is gone", || world.fake.state().users.is_empty()).await;
    assert_eq!(world.fake.tokens(), 0);
    world
        .fake
        .state()
        .roles
        .insert("readonly".to_owned(), Role::Session(900));
    world.clock.advance(Duration::from_secs(60));
    world.key(&pod).await;
}
