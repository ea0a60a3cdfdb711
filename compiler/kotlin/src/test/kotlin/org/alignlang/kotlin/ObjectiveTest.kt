package org.alignlang.kotlin

import org.alignlang.compiler.driver.Compiler
import org.alignlang.compiler.emit.GraphPrinter
import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.assertThatThrownBy
import org.junit.jupiter.api.Test

class ObjectiveTest {
    private val dpo = objective("Dpo", "Preferences, with a margin.") {
        val beta by real(0.1)
        val pi by policy()
        val ref by reference()
        val (chosen, rejected) = pairs()
        val margin by feature(at = Level.PAIR)
        val h by let { s -> log(pi(s) / ref(s)) }
        minimize(mean(-logSigmoid(beta * (h(chosen) - h(rejected)) - margin()), Level.PAIR))
        metric("accuracy", mean(cond(h(chosen) gt h(rejected), number(1), number(0)), Level.PAIR))
    }

    private val safe = objective("SafeHelpful") {
        val beta by real(0.05)
        val budget by real(0.1)
        val pi by policy()
        val ref by reference()
        val helpful by reward()
        val harm by reward()
        maximize(expected(helpful()) - beta * kl(pi, ref))
        subjectTo(expected(harm()) le budget, multiplier = "lambda", init = 0, rate = 0.05)
        estimateWith("rloo")
    }

    @Test
    fun `prints itself in Align`() {
        assertThat(dpo.toString()).isEqualTo(
            """
            /// Preferences, with a margin.
            objective Dpo(beta: Real = 0.1) {
              policy    pi
              reference ref
              pairs     chosen > rejected
              feature   margin: pair
              let h(s) = log(pi(s) / ref(s))
              minimize mean[pair](-log_sigmoid(beta * (h(chosen) - h(rejected)) - margin))
              metric accuracy = mean[pair](if h(chosen) > h(rejected) then 1 else 0)
            }

            """.trimIndent(),
        )
    }

    private fun graph(text: String, name: String): String {
        val compilation = Compiler.compile("text.align", text)
        assertThat(compilation.diagnostics()).isEmpty()
        return withoutPlaces(GraphPrinter.gradient(compilation.objective(name).orElseThrow()))
    }

    private fun withoutPlaces(graph: String) = graph.replace(Regex(" *@ .*"), "")

    @Test
    fun `has the graph of the same text written by hand`() {
        val written = """
            objective SafeHelpful(beta: Real = 0.05, budget: Real = 0.1) {
              policy    pi
              reference ref
              reward    helpful: sequence
              reward    harm:    sequence

              maximize   E[helpful] - beta * KL(pi || ref)
              subject to E[harm] <= budget  multiplier lambda(init = 0, rate = 0.05)
              estimate   with rloo()
            }
        """
        assertThat(withoutPlaces(GraphPrinter.gradient(safe.check()))).isEqualTo(graph(written, "SafeHelpful"))
        assertThat(withoutPlaces(GraphPrinter.gradient(dpo.check()))).isEqualTo(graph(dpo.toString(), "Dpo"))
    }

    @Test
    fun `operators keep their meaning in the text`() {
        val a = number(1)
        val b = number(2)
        assertThat((a - (b - a)).toString()).isEqualTo("1 - (2 - 1)")
        assertThat((a - b - a).toString()).isEqualTo("1 - 2 - 1")
        assertThat(((a + b) * 3).toString()).isEqualTo("(1 + 2) * 3")
        assertThat((-(a + b)).toString()).isEqualTo("-(1 + 2)")
        assertThat(((-a) pow 2).toString()).isEqualTo("(-1) ^ 2")
        assertThat((a / (b * a)).toString()).isEqualTo("1 / (2 * 1)")
        assertThat((2 * cond(a lt b, a, b)).toString()).isEqualTo("2 * (if 1 < 2 then 1 else 2)")
        assertThat(number(1e-4).toString()).isEqualTo("1.0e-4")
    }

    @Test
    fun `findings are at their place in Kotlin`() {
        val wrong = objective("Wrong") {
            val pi by policy()
            val (chosen, rejected) = pairs()
            minimize(log(pi.tokens(chosen)) - log(pi.tokens(rejected)))
        }
        val line = Throwable().stackTrace[0].lineNumber - 2
        assertThat(wrong.findings).hasSize(1)
        assertThat(wrong.findings[0].place).isEqualTo("ObjectiveTest.kt:$line")
        assertThatThrownBy { wrong.kernel() }
            .isInstanceOf(InvalidObjectiveException::class.java)
            .hasMessageStartingWith("ObjectiveTest.kt:$line: error[ALN3001] ")
    }

    @Test
    fun `runs with default arguments`() {
        val kernel = dpo.kernel()
        val batch = batch(1) {
            sequence("chosen", intArrayOf(0, 1))
            sequence("rejected", intArrayOf(0, 1))
            column("chosen.logp", doubleArrayOf(-1.0))
            column("chosen.ref.logp", doubleArrayOf(-2.0))
            column("rejected.logp", doubleArrayOf(-2.0))
            column("rejected.ref.logp", doubleArrayOf(-1.0))
            column("feature.margin", doubleArrayOf(0.0))
        }
        val result = kernel.evaluate(batch)
        assertThat(result.loss()).isEqualTo(Math.log1p(Math.exp(-0.2)), org.assertj.core.data.Offset.offset(1e-12))
        assertThat(result.metric(kernel, "accuracy")).isEqualTo(1.0)
        assertThat(kernel.evaluate(batch, parameters = mapOf("beta" to 0)).loss())
            .isEqualTo(Math.log(2.0), org.assertj.core.data.Offset.offset(1e-12))
        assertThatThrownBy { kernel.evaluate(batch, parameters = mapOf("gamma" to 0)) }
            .hasMessage("`Dpo` has no parameter or multiplier `gamma`")
    }
}
