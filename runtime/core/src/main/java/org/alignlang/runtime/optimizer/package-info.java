/** Optimisers and schedules of their step size. */
@NullMarked
package org.alignlang.runtime.optimizer;

import org.jspecify.annotations.NullMarked;
