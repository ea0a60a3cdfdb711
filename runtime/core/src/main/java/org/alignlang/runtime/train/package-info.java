/** Training one policy: rows, batches, actors, gradients, steps and checkpoints. */
@NullMarked
package org.alignlang.runtime.train;

import org.jspecify.annotations.NullMarked;
