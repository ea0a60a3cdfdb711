package com.example

/** Two sequences of three and two tokens over a vocabulary of four words, and their models. */
class Corpus {
    val lengths = intArrayOf(3, 2)
    val vocabulary = 4
    val teacher = DoubleArray(5 * vocabulary) { if (it % vocabulary == it / vocabulary % 4) 2.0 else 0.0 }
    val start = DoubleArray(5 * vocabulary)
}

/** One step of gradient descent; changes the student's logits. */
fun MixedDistillation.step(corpus: Corpus, student: DoubleArray, rate: Double = 1.0): MixedDistillation.Result {
    val result = evaluate(
        MixedDistillation.inputs(corpus.lengths.size)
            .lengths(corpus.lengths)
            .vocabulary(corpus.vocabulary)
            .logits(student)
            .tLogits(corpus.teacher)
            .startLogits(corpus.start)
            .build()
    )
    val gradient = result.gradients.logits.toDoubles()
    for (i in student.indices) student[i] -= rate * gradient[i]
    return result
}

fun main() {
    val objective = MixedDistillation.of(MixedDistillation.Parameters.defaults().withMix(0.75))
    val student = DoubleArray(20)
    repeat(101) { step ->
        val result = objective.step(Corpus(), student, rate = 5.0)
        if (step % 25 == 0) {
            println("step %3d  loss %.4f  kept %.4f".format(step, result.loss, result.metrics.kept))
        }
    }
}
