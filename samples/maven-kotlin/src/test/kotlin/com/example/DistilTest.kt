package com.example

import org.alignlang.kernel.EvaluationException
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class DistilTest {
    @Test
    fun `the student moves towards the mixture`() {
        val objective = MixedDistillation.withDefaults()
        val student = DoubleArray(20)
        val before = objective.step(Corpus(), student).loss
        val after = objective.step(Corpus(), student)
        assertTrue(after.loss < before)
        assertTrue(after.metrics.kept > 0)
    }

    @Test
    fun `what is missing is named with its line`() {
        val problem = assertThrows(EvaluationException::class.java) {
            MixedDistillation.inputs(1).lengths(intArrayOf(1)).vocabulary(2).logits(doubleArrayOf(0.0, 0.0)).build()
        }
        assertEquals(
            "com/example/distillation.align:5:3: `tLogits` of `MixedDistillation` is missing:" +
                " 2 numbers per token (1 in 1 rows), [2]",
            problem.message,
        )
    }

    @Test
    fun `this was compiled by Kotlin`() {
        assertNotNull(Corpus::class.java.getAnnotation(Metadata::class.java))
    }
}
