/** Losses of hidden states and the head that makes logits of them, without all logits in memory. */
@NullMarked
package org.alignlang.runtime.linear;

import org.jspecify.annotations.NullMarked;
