/** Batches of tensors from other programs: their files, their contract, and the way back. */
@NullMarked
package org.alignlang.runtime.batch;

import org.jspecify.annotations.NullMarked;
