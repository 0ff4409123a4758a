//! Each command has its own outcome.

use super::*;

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn a_refusal_says_what_it_means_for_its_command() {
    let mut client = fresh();
    let known = service(tcp4(1), "rr");
    let nat = masquerade("192.168.1.1".parse().unwrap());
    all_done(&client.execute(&[
        Command::NewService(known),
        Command::NewDestination(known.id, nat),
    ]));
    let cross = masquerade("fd00::7".parse().unwrap());
    let multicast = masquerade("224.0.0.9".parse().unwrap());
    let cases = [
        (
            Command::NewService(known),
            libc::EEXIST,
            "the service exists already",
        ),
        (
            Command::NewService(service(tcp4(2), "nosuch")),
            libc::ENOENT,
            "no module for scheduler \"nosuch\"",
        ),
        (
            Command::SetService(service(tcp4(2), "rr")),
            libc::ESRCH,
            "no such service",
        ),
        (
            Command::DeleteService(tcp6(2)),
            libc::ESRCH,
            "no such service",
        ),
        (
            Command::NewDestination(known.id, nat),
            libc::EEXIST,
            "the destination exists already",
        ),
        (
            Command::NewDestination(tcp4(2), nat),
            libc::ESRCH,
            "no such service",
        ),
        (
            Command::DeleteDestination(known.id, nat.address, 81),
            libc::ENOENT,
            "no such destination",
        ),
        (
            Command::NewDestination(known.id, multicast),
            libc::EINVAL,
            "not unicast",
        ),
        (
            Command::NewDestination(known.id, cross),
            libc::EINVAL,
            "needs forwarding by tunnel",
        ),
    ];
    let sent: Vec<_> = cases.iter().map(|(command, ..)| *command).collect();
    for ((command, errno, text), outcome) in cases.iter().zip(client.execute(&sent)) {
        let refusal = outcome.expect_err(&command.to_string());
        assert_eq!(refusal.errno(), Some(*errno), "{command}: {refusal}");
        let explained = refusal.explain(command);
        assert!(explained.contains(text), "{command}: {explained}");
    }
    assert_eq!(read(&mut client).services, [(known, vec![nat])]);
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn each_of_5000_pipelined_commands_has_its_own_outcome() {
    let mut client = fresh();
    let mut sent = Vec::new();
    for number in 0..5000_u32 {
        sent.push(match number % 7 {
            3 => Command::NewService(service(tcp4(number - 1), "rr")),
            5 => Command::DeleteDestination(tcp4(number - 1), [192, 168, 1, 1].into(), 80),
            6 => Command::NewService(service(
                ServiceId::FirewallMark {
                    family: Family::V4,
                    mark: 0,
                },
                "rr",
            )),
            _ => Command::NewService(service(tcp4(number), "rr")),
        });
    }
    let outcomes = client.execute(&sent);
    assert_eq!(outcomes.len(), 5000);
    for (number, outcome) in outcomes.iter().enumerate() {
        match (number % 7, outcome) {
            (3, Err(refusal)) => assert_eq!(refusal.errno(), Some(libc::EEXIST)),
            (5, Err(refusal)) => assert_eq!(refusal.errno(), Some(libc::ENOENT)),
            (6, outcome) => assert!(matches!(outcome, Err(Refusal::Invalid(_)))),
            (0 | 1 | 2 | 4, Ok(())) => {}
            (_, outcome) => panic!("{number}: {outcome:?}"),
        }
    }
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(read(&mut client).services.len(), done);
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn until_error_stops_after_the_batch_and_tells_the_truth_about_it() {
    let mut client = fresh();
    let mut sent: Vec<_> = (0..300)
        .map(|n| Command::NewService(service(tcp4(n), "rr")))
        .collect();
    sent[70] = sent[69];
    let outcomes = client.execute_until_error(&sent);
    assert_eq!(
        outcomes[70].as_ref().unwrap_err().errno(),
        Some(libc::EEXIST)
    );
    assert!(outcomes[71..128].iter().all(Result::is_ok));
    assert!(
        outcomes[128..]
            .iter()
            .all(|o| *o == Err(Refusal::NotAttempted))
    );
    assert_eq!(read(&mut client).services.len(), 127);
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn lost_answers_are_unknown_and_never_done() {
    let mut client = fresh();
    let sent: Vec<_> = (0..200).map(|n| Command::DeleteService(tcp4(n))).collect();
    client.shrink_receive_buffer(2304).unwrap();
    let start = Instant::now();
    let outcomes = client.execute(&sent);
    assert!(
        start.elapsed().as_secs() < 5,
        "it must not wait for what was thrown away"
    );
    assert!(
        outcomes[..64]
            .iter()
            .any(|o| matches!(o, Err(Refusal::Unknown(_)))),
        "{:?}",
        &outcomes[..3]
    );
    assert!(
        outcomes[..64].iter().all(Result::is_err),
        "nothing of it was done"
    );
    assert!(
        outcomes[64..]
            .iter()
            .all(|o| *o == Err(Refusal::NotAttempted))
    );
    client.shrink_receive_buffer(1 << 20).unwrap();
    let again = client.execute(&sent);
    assert!(
        again
            .iter()
            .all(|o| o.as_ref().unwrap_err().errno() == Some(libc::ESRCH))
    );
}
