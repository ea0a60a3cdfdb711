@file:JvmName("Evaluations")

package org.alignlang.kotlin

import org.alignlang.kernel.Batch
import org.alignlang.kernel.Evaluation
import org.alignlang.kernel.ObjectiveKernel
import org.alignlang.kernel.Workers

/** A batch: `batch(2) { column("logp", values) }`. */
public inline fun batch(rows: Int, fill: Batch.Builder.() -> Unit): Batch =
    Batch.builder(rows).apply(fill).build()

/**
 * Loss, metrics and gradients of a batch, with the default of each parameter that is not given, and
 * multipliers as they are at first.
 */
public fun ObjectiveKernel.evaluate(
    batch: Batch,
    parameters: Map<String, Number> = emptyMap(),
    multipliers: Map<String, Number> = emptyMap(),
    workers: Workers = Workers.serial(),
): Evaluation {
    val signature = signature()
    val unknown =
        (parameters.keys - signature.parameters().map { it.name() }.toSet()) +
            (multipliers.keys - signature.constraints().map { it.multiplier() }.toSet())
    require(unknown.isEmpty()) { "`${signature.objective()}` has no parameter or multiplier `${unknown.first()}`" }
    val values = signature.parameters().map { p ->
        val value = parameters[p.name()]?.toDouble() ?: p.defaultValue()
        require(!value.isNaN()) { "the parameter `${p.name()}` of `${signature.objective()}` has no default" }
        value
    }
    val at = signature.constraints().map { multipliers[it.multiplier()]?.toDouble() ?: it.initial() }
    val result = Evaluation(signature, batch)
    evaluate(batch, values.toDoubleArray(), at.toDoubleArray(), result, workers)
    return result
}

/** A metric by its name. */
public fun Evaluation.metric(kernel: ObjectiveKernel, name: String): Double {
    val index = kernel.signature().metrics().indexOf(name)
    require(index >= 0) { "`${kernel.signature().objective()}` has no metric `$name`" }
    return metrics()[index]
}
