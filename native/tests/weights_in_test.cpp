#include <ATen/core/grad_mode.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "io/pickle_reader.h"
#include "io/torch_file.h"
#include "io/weights_file.h"
#include "model/base_model.h"
#include "model/original_names.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

namespace fs = std::filesystem;

void writeText(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

DAN_TEST(loras_for_the_base_change_it_as_peft_does) {
  const at::NoGradGuard noGrad;
  const auto& t = fixtureTensors("interop/golden.safetensors");
  const auto cases = fixtureJson("interop/golden.json").at("cases");
  EXPECT(cases.size() >= 3);
  const auto check = [&](const std::string& name, const std::vector<model::LoraFile>& loras) {
    model::BaseOptions options;
    options.source.path = fixture("tiny-sd");
    options.loras = loras;
    const auto base = model::loadBaseModel(options, at::kCPU, at::kFloat);
    const at::Tensor text = base->textEncoder->forward(t.at("input_ids"));
    expectClose(text, t.at(name + ".text"), 2e-5, 1e-5, name + ": text");
    const at::Tensor timesteps = t.at("t").flatten().expand({t.at("sample").size(0)});
    expectClose(base->unet->forward(t.at("sample"), timesteps, text), t.at(name + ".unet"), 5e-5, 1e-5,
                name + ": UNet");
    return base->fingerprint;
  };
  std::string fingerprint = check("base", {});
  for (const auto& [name, entry] : cases.items()) {
    const std::string own = check(name, {{fixture(entry.at("file")), 1.0}});
    // An adapter for one base must not be accepted for the other.
    EXPECT(own != fingerprint);
  }
  check("peft", {{fixture("interop/peft/pytorch_lora_weights_text_model_prefix.safetensors"), 1.0}});
  // Merging half of it twice equals merging all of it; merging none leaves the base.
  const std::string file = fixture("interop/kohya/kohya_full_rank2.safetensors");
  check("kohya_full_rank2", {{file, 0.5}, {file, 0.5}});
  check("base", {{file, 0.0}});
}

DAN_TEST(a_lora_that_does_not_fit_is_named) {
  const Scratch scratch;
  const auto load = [&](const TensorMap& tensors) {
    io::writeSafetensors(scratch.at("lora.safetensors"), tensors);
    model::BaseOptions options;
    options.source.path = fixture("tiny-sd");
    options.loras = {{scratch.at("lora.safetensors"), 1.0}};
    model::loadBaseModel(options, at::kCPU, at::kFloat);
  };
  const std::string layer = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.";
  const at::Tensor down = at::ones({2, 32}), up = at::ones({32, 2});
  load({{layer + "lora_A.weight", down}, {layer + "lora_B.weight", up}});
  expectError([&] { load({{layer + "lora_A.weight", down}}); }, "lacks its down or its up half");
  expectError(
      [&] {
        load({{layer + "lora_A.weight", at::ones({2, 33})}, {layer + "lora_B.weight", up}});
      },
      "the base has [32, 32]");
  expectError([&] { load({{layer + "hada_w1_a", down}}); }, "hada_w1_a");
  expectError(
      [&] {
        load({{"unet.elsewhere.lora_A.weight", down}, {"unet.elsewhere.lora_B.weight", up}});
      },
      "it has nothing called unet.elsewhere");
}

DAN_TEST(weights_in_shards_are_put_together) {
  const Scratch scratch;
  const auto whole = io::readSafetensors(fixture("tiny-sd/unet/diffusion_pytorch_model.safetensors")).tensors;
  TensorMap shards[2];
  nlohmann::json index = {{"metadata", {}}, {"weight_map", nlohmann::json::object()}};
  const std::string files[] = {"part-1.safetensors", "part-2.safetensors"};
  size_t i = 0;
  for (const auto& [name, tensor] : whole) {
    shards[i % 2][name] = tensor;
    index["weight_map"][name] = files[i++ % 2];
  }
  fs::create_directories(scratch.at("unet"));
  for (int k = 0; k < 2; ++k) io::writeSafetensors(scratch.at("unet/" + files[k]), shards[k]);
  const std::string indexPath = scratch.at("unet/diffusion_pytorch_model.safetensors.index.json");
  const auto read = [&](const nlohmann::json& json) {
    writeText(indexPath, json.dump());
    return model::readPart(scratch.at(""), "unet", {"diffusion_pytorch_model"}).tensors;
  };
  const TensorMap together = read(index);
  EXPECT(together.size() == whole.size());
  for (const auto& [name, tensor] : whole) EXPECT(together.at(name).equal(tensor));

  nlohmann::json broken = index;
  broken["weight_map"]["conv_in.weight"] = "../../secret.safetensors";
  expectError([&] { read(broken); }, "which is no file name");
  broken["weight_map"]["conv_in.weight"] = files[index["weight_map"]["conv_in.weight"] == files[0] ? 1 : 0];
  expectError([&] { read(broken); }, "lacks conv_in.weight");
  expectError([&] { read({{"weight_map", 3}}); }, "expected an object with a weight_map");
  fs::remove(scratch.at("unet/" + files[1]));
  expectError([&] { read(index); }, files[1]);
}

// These pairs of names follow diffusers' conversion scripts.
DAN_TEST(checkpoints_of_the_original_code_get_diffusers_names) {
  const std::pair<const char*, const char*> kUnet[] = {
      {"time_embed.0.weight", "time_embedding.linear_1.weight"},
      {"time_embed.2.bias", "time_embedding.linear_2.bias"},
      {"input_blocks.0.0.weight", "conv_in.weight"},
      {"input_blocks.1.0.in_layers.0.weight", "down_blocks.0.resnets.0.norm1.weight"},
      {"input_blocks.2.0.in_layers.2.bias", "down_blocks.0.resnets.1.conv1.bias"},
      {"input_blocks.2.0.in_layers.0.weight", "down_blocks.0.resnets.1.norm1.weight"},
      {"input_blocks.2.1.proj_in.weight", "down_blocks.0.attentions.1.proj_in.weight"},
      {"input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight"},
      {"input_blocks.4.0.skip_connection.weight", "down_blocks.1.resnets.0.conv_shortcut.weight"},
      {"input_blocks.8.1.transformer_blocks.0.attn2.to_k.weight",
       "down_blocks.2.attentions.1.transformer_blocks.0.attn2.to_k.weight"},
      {"input_blocks.11.0.out_layers.3.weight", "down_blocks.3.resnets.1.conv2.weight"},
      {"middle_block.0.emb_layers.1.weight", "mid_block.resnets.0.time_emb_proj.weight"},
      {"middle_block.1.norm.weight", "mid_block.attentions.0.norm.weight"},
      {"middle_block.2.out_layers.0.bias", "mid_block.resnets.1.norm2.bias"},
      {"output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"},
      {"output_blocks.3.1.proj_out.bias", "up_blocks.1.attentions.0.proj_out.bias"},
      {"output_blocks.5.2.conv.bias", "up_blocks.1.upsamplers.0.conv.bias"},
      {"output_blocks.11.0.in_layers.2.weight", "up_blocks.3.resnets.2.conv1.weight"},
      {"out.0.weight", "conv_norm_out.weight"},
      {"out.2.weight", "conv_out.weight"}};
  const std::pair<const char*, const char*> kVae[] = {
      {"quant_conv.weight", "quant_conv.weight"},
      {"encoder.conv_in.bias", "encoder.conv_in.bias"},
      {"encoder.norm_out.weight", "encoder.conv_norm_out.weight"},
      {"encoder.down.1.block.0.nin_shortcut.weight", "encoder.down_blocks.1.resnets.0.conv_shortcut.weight"},
      {"encoder.down.2.downsample.conv.weight", "encoder.down_blocks.2.downsamplers.0.conv.weight"},
      {"encoder.mid.block_1.norm1.weight", "encoder.mid_block.resnets.0.norm1.weight"},
      {"encoder.mid.attn_1.norm.weight", "encoder.mid_block.attentions.0.group_norm.weight"},
      {"decoder.mid.attn_1.proj_out.bias", "decoder.mid_block.attentions.0.to_out.0.bias"},
      {"decoder.mid.attn_1.q.bias", "decoder.mid_block.attentions.0.to_q.bias"},
      {"decoder.mid.block_2.conv2.weight", "decoder.mid_block.resnets.1.conv2.weight"},
      {"decoder.up.0.block.0.conv1.weight", "decoder.up_blocks.3.resnets.0.conv1.weight"},
      {"decoder.up.1.block.0.conv1.weight", "decoder.up_blocks.2.resnets.0.conv1.weight"},
      {"decoder.up.2.block.0.conv1.weight", "decoder.up_blocks.1.resnets.0.conv1.weight"},
      {"decoder.up.3.block.0.conv1.weight", "decoder.up_blocks.0.resnets.0.conv1.weight"},
      {"decoder.up.3.upsample.conv.bias", "decoder.up_blocks.0.upsamplers.0.conv.bias"}};
  const std::pair<const char*, const char*> kOpenClip[] = {
      {"token_embedding.weight", "text_model.embeddings.token_embedding.weight"},
      {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
      {"ln_final.bias", "text_model.final_layer_norm.bias"},
      {"transformer.resblocks.0.ln_1.weight", "text_model.encoder.layers.0.layer_norm1.weight"},
      {"transformer.resblocks.5.ln_2.bias", "text_model.encoder.layers.5.layer_norm2.bias"},
      {"transformer.resblocks.5.mlp.c_fc.weight", "text_model.encoder.layers.5.mlp.fc1.weight"},
      {"transformer.resblocks.22.mlp.c_proj.bias", "text_model.encoder.layers.22.mlp.fc2.bias"},
      {"transformer.resblocks.22.attn.out_proj.weight", "text_model.encoder.layers.22.self_attn.out_proj.weight"}};
  const auto checkNames = [](const auto& names, const std::string& prefix, auto convert) {
    TensorMap file;
    int64_t number = 0;
    for (const auto& [original, ours] : names) file[prefix + original] = at::full({1}, number++);
    const TensorMap renamed = convert(file);
    number = 0;
    for (const auto& [original, ours] : names) {
      const auto found = renamed.find(ours);
      if (found == renamed.end()) failTest(std::string(original) + " did not become " + ours);
      EXPECT(found->second.template item<int64_t>() == number++);
    }
    EXPECT(renamed.size() == file.size());
  };
  checkNames(kUnet, "model.diffusion_model.", model::unetFromOriginal);
  checkNames(kVae, "first_stage_model.", model::vaeFromOriginal);
  checkNames(kOpenClip, "cond_stage_model.model.", model::textFromOriginal);
  // OpenCLIP stores queries, keys and values in one tensor. The conversion omits its last layer and the tensors that
  // serve images.
  const std::string block = "cond_stage_model.model.transformer.resblocks.";
  const at::Tensor packed = at::arange(12).view({6, 2});
  const TensorMap text = model::textFromOriginal({{block + "1.attn.in_proj_weight", packed},
                                                  {block + "1.attn.in_proj_bias", packed.select(1, 0)},
                                                  {block + "23.ln_1.weight", packed},
                                                  {"cond_stage_model.model.logit_scale", packed},
                                                  {"cond_stage_model.model.text_projection", packed}});
  EXPECT(text.size() == 6);
  const std::string attention = "text_model.encoder.layers.1.self_attn.";
  EXPECT(text.at(attention + "k_proj.weight").equal(packed.slice(0, 2, 4)));
  EXPECT(text.at(attention + "v_proj.bias").equal(packed.select(1, 0).slice(0, 4, 6)));
}

DAN_TEST(files_that_are_no_checkpoint_say_what_they_lack) {
  const Scratch scratch;
  const auto load = [&](const TensorMap& tensors) {
    io::writeSafetensors(scratch.at("model.safetensors"), tensors);
    model::readBaseParts({scratch.at("model.safetensors"), "", fixture("tiny-sd/tokenizer"), ""});
  };
  const at::Tensor one = at::ones({1});
  expectError([&] { load({{"a", one}}); }, "it has no UNet");
  expectError([&] { load({{"model.diffusion_model.a", one}, {"conditioner.embedders.0.a", one}}); }, "Diffusion XL");
  expectError(
      [&] {
        load({{"model.diffusion_model.a", one}, {"first_stage_model.a", one}, {"cond_stage_model.transformer.a", one}});
      },
      "it lacks conv_in.weight");
}

DAN_TEST(prompts_are_padded_as_the_tokenizer_says) {
  const Scratch scratch;
  for (const char* file : {"vocab.json", "merges.txt"})
    fs::copy(fixture("tiny-sd/tokenizer/") + file, scratch.at(file));
  const auto last = [&] { return model::ClipTokenizer(scratch.at("")).encode("sks").back(); };
  const int64_t end = last();
  EXPECT(end == 49407);
  writeText(scratch.at("tokenizer_config.json"), R"({"pad_token": "<|endoftext|>"})");
  writeText(scratch.at("special_tokens_map.json"), R"({"pad_token": {"content": "!"}})");
  EXPECT(last() == 0);  // Stable Diffusion 2.x pads with this token.
  const model::ClipTokenizer tokenizer(scratch.at(""));
  EXPECT(tokenizer.countTokens("sks") >= 1 && tokenizer.countTokens("") == 0);
  EXPECT(tokenizer.encode("sks")[static_cast<size_t>(tokenizer.countTokens("sks")) + 1] == end);
  writeText(scratch.at("special_tokens_map.json"), R"({"pad_token": "nonsense-token"})");
  expectError([&] { last(); }, "lacks the pad token nonsense-token");
}

DAN_TEST(words_that_a_prompt_has_no_room_for_are_named) {
  const model::ClipTokenizer tokenizer(fixture("tiny-sd/tokenizer"));
  const auto words = [](const std::string& word, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += word + " ";
    return text;
  };
  EXPECT(tokenizer.maxTokens() == 75);
  EXPECT(tokenizer.leftOut("").empty() && tokenizer.leftOut("  \n").empty());
  EXPECT(tokenizer.countTokens("a") == 1 && tokenizer.countTokens("a,") == 2);
  EXPECT(tokenizer.leftOut(words("a", 75)).empty());
  EXPECT(tokenizer.leftOut(words("a", 75) + "crack  there ") == "crack  there");
  // Only part of the last word fits.
  EXPECT(tokenizer.leftOut(words("a", 74) + "a, b") == "a, b");
  EXPECT(tokenizer.leftOut(words("a,", 40)) == words("a,", 2) + "a,");
  EXPECT(tokenizer.encode(words("a", 75) + "crack") == tokenizer.encode(words("a", 75)));
}

// Training frameworks store callbacks and counters beside the weights. The reader skips these and refuses everything
// else.
DAN_TEST(a_pickle_skips_what_frameworks_leave_and_refuses_the_rest) {
  const auto read = [](const std::string& global, const std::string& arguments) {
    const std::string pickle = std::string("\x80\x02}X\x01\x00\x00\x00k", 9) + "c" + global + "\n" + arguments + "Rs.";
    io::PickleReader reader(reinterpret_cast<const uint8_t*>(pickle.data()), pickle.size(), "a test");
    const auto* root = reader.read();
    EXPECT(root->kind == io::PickleValue::Kind::kDict && root->items.size() == 2);
    return root->items[1]->kind;
  };
  for (const char* global : {"pytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint", "numpy\ndtype",
                             "numpy.core.multiarray\nscalar", "_codecs\nencode"}) {
    EXPECT(read(global, ")") == io::PickleValue::Kind::kNone);
  }
  EXPECT(read("collections\nOrderedDict", ")") == io::PickleValue::Kind::kDict);
  for (const char* global : {"os\nsystem", "builtins\neval", "numpy\nload", "torch\nload"}) {
    expectError([&] { read(global, ")"); }, "which weights have no use for");
  }
}

// The fuzzer found this in libtorch's own zip reader: a directory claims gigabytes for a record of two bytes.
DAN_TEST(a_zip_directory_cannot_ask_for_memory) {
  const Scratch scratch;
  std::ifstream file(fixture("bad/ok_minimal_zip.pth"), std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const size_t name = bytes.rfind("/version");
  EXPECT(name != std::string::npos);
  const size_t entry = bytes.rfind("PK\x01\x02", name);
  EXPECT(entry != std::string::npos);
  const uint32_t huge = 0x7fffffff;
  for (const size_t field : {20, 24}) std::memcpy(&bytes[entry + field], &huge, sizeof(huge));
  std::ofstream(scratch.at("huge.pth"), std::ios::binary) << bytes;
  expectError([&] { io::readTorchFile(scratch.at("huge.pth")); }, "claims more bytes than the file has");
}

}  // namespace dan::tests
