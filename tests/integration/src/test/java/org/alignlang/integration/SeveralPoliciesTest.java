package org.alignlang.integration;

import static org.alignlang.integration.Experiments.assertClaimsHold;
import static org.assertj.core.api.Assertions.assertThat;

import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.driver.Compiler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Actors that are made of policies which other objectives train. */
class SeveralPoliciesTest {
  private static final String OTHERS =
      """
      objective TrainA {
        policy    a
        reference ref
        reward    helpful: sequence
        maximize  E[helpful] - KL(a || ref)
        estimate  with exact()
      }

      objective TrainB {
        policy    b
        reference ref
        reward    harm: sequence
        maximize  E[harm] - 0.2 * KL(b || ref)
        estimate  with exact()
      }
      """;

  @Test
  void aSoupHasTheMeanOfTheParametersAsTheyAreByNow() {
    // Of tables the soup is the geometric mixture of the policies, which is what `mixed` is.
    assertClaimsHold(
        OTHERS
            + """
            objective Towards(share: Real = 0.5) {
              policy    pi
              reference a
              reference b
              reference blend = soup(a, b, share = share)
              let mixed = normalize[vocab](a(y.vocab)^(1 - share) * b(y.vocab)^share)
              minimize  mean[token, sequence](KL(pi(y.vocab) || blend(y.vocab)))
              metric    apart = mean[token, sequence](KL(blend(y.vocab) || mixed))
            }

            experiment Soup {
              task      bandit(arms = 4, prompts = 2)
              train     alternate(Towards(share = [0, 0.3, 1]), TrainA(), TrainB())
              optimizer adam(rate = linear(from = 0.05, to = 0.001, steps = 200))
              steps     200
              record    first = KL(pi || a), second = KL(pi || b), far = KL(a || b)
              expect    max(apart) < 0.000000001
              expect    final(far) > 0.01
              expect    final(first, share = 0) < 0.002
              expect    final(second, share = 1) < 0.002
              expect    final(first, share = 1) > 0.01
            }
            """);
  }

  @Test
  void aSnapshotUnderAnotherPolicysNameIsOfThatPolicy() {
    assertClaimsHold(
        OTHERS
            + """
            /// Stays where it is, whatever `a` does.
            objective Stay {
              policy    pi
              reference ref
              reference a
              reference late = snapshot(a, every = 20)
              minimize  mean[token, sequence](KL(pi(y.vocab) || ref(y.vocab)))
              metric    moved = mean[token, sequence](KL(a(y.vocab) || ref(y.vocab)))
              metric    lag = mean[token, sequence](KL(late(y.vocab) || ref(y.vocab)))
            }

            experiment Lag {
              task      bandit(arms = 4)
              train     alternate(Stay(), TrainA())
              a         snapshot(every = 1)
              optimizer adam(rate = 0.05)
              steps     30
              every     10
              expect    final(moved) > 0.01
              expect    final(lag) > 0.01
              expect    final(moved) > final(lag) + 0.001
              expect    first(lag) == 0
            }
            """);
  }

  @Test
  void networksStartAlikeIfTheyAreToldTo() {
    String text =
        OTHERS
            + """
            objective Between {
              policy    pi
              reference a
              reference b
              minimize  mean[token, sequence](KL(pi(y.vocab) || a(y.vocab)))
              metric    apart = mean[token, sequence](KL(a(y.vocab) || b(y.vocab)))
            }

            experiment Starts {
              task   bandit(arms = 4)
              train  alternate(Between(), TrainA(), TrainB())
              policy mlp(hidden = [4], relative = false, start_alike = %s)
              steps  1
              expect %s
            }
            """;
    assertClaimsHold(text.formatted("true", "first(apart) == 0"));
    assertClaimsHold(text.formatted("false", "first(apart) > 0"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          soup(pi, share = 0.5)       | `soup` needs `second`
          soup(pi, c, share = 0.5)    | is of the trained policy, or of another that this objective declares
          soup(pi, mix, share = 0.5)  | is of the trained policy, or of another that this objective declares
          soup(pi, a, share = 2)      | `share` is a number from 0 to 1
          snapshot(c, every = 2)      | is of the trained policy, or of another that this objective declares
          """)
  void whatIsNoPolicyIsRefused(String definition, String message) {
    String text =
        """
        objective Towards {
          policy    pi
          reference a
          reference mix = %s
          minimize  mean[sequence](log(pi(y) / mix(y)) * log(pi(y) / a(y)))
        }
        """
            .formatted(definition);
    assertThat(Compiler.compile("x.align", text).diagnostics())
        .filteredOn(Diagnostic::isError)
        .extracting(Diagnostic::message)
        .anySatisfy(found -> assertThat(found).contains(message));
  }
}
