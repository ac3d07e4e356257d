import * as z from 'zod';

/* Images that a person adds to a message. They travel with the message and are stored as blobs. */

export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const;
export const MAX_IMAGES = 8;
/** Of one image, decoded. A page shows no larger one, and makes larger ones smaller before it sends them. */
export const MAX_IMAGE_BYTES = 2_000_000;
/** Of all images of a message, in base64: a message must fit into one frame. */
export const MAX_IMAGES_CHARS = 3_600_000;

export const imageSchema = z
  .object({
    mediaType: z.enum(IMAGE_TYPES),
    content: z
      .base64()
      .min(8)
      .max(Math.ceil(MAX_IMAGE_BYTES / 3) * 4),
  })
  .meta({ id: 'Image' });
export type Image = z.infer<typeof imageSchema>;

export const imagesSchema = z
  .array(imageSchema)
  .max(MAX_IMAGES)
  .refine(images => images.reduce((sum, { content }) => sum + content.length, 0) <= MAX_IMAGES_CHARS, {
    error: `All images of a message together may have ${MAX_IMAGES_CHARS} characters of base64.`,
  });

/** Of the message that a session begins with. Without a default, so that a call of before has the same hash when repeated. */
export const firstImagesSchema = imagesSchema.optional().describe('They go with the first message');
