package org.alignlang.runtime.experiment;

import org.alignlang.runtime.policy.Policy;

/** The policies behind the actors that quantities name. */
public interface ActorPolicies {

  /**
   * The policy behind a name.
   *
   * @throws ExperimentException for a name that is no actor here; the message lists those that are
   */
  Policy policy(String actor);

  /** Whether a name means the policy that is trained. */
  boolean isTrained(String actor);

  /** Whether an actor's distribution never changes. */
  boolean isFixed(String actor);
}
